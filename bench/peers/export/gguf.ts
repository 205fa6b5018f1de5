import type { Checkpoint } from '../../../src/checkpoint/checkpoint.js';
import { mapRow } from '../../../src/checkpoint/layout.js';
import type { ModelConfig } from '../../../src/model/config.js';
import { familyOf } from '../../../src/model/families/index.js';
import type { Role } from '../../../src/model/graph.js';
import { FileWriter } from './file-writer.js';
import { readF16, readF32 } from './read.js';
import { llamaTensors, refuseUnwritten, type LlamaTensor } from './tensors.js';

/** GGUF v3, https://github.com/ggml-org/ggml/blob/master/docs/gguf.md */
const VERSION = 3;
const ALIGNMENT = 32;
const TENSOR_TYPE = { f32: 0, f16: 1 } as const;
/** `general.file_type` of a file whose matrices are f16. */
const MOSTLY_F16 = 1;

const NAMES: Readonly<Record<Role, string>> = {
  embedding: 'token_embd',
  attnNorm: 'attn_norm',
  query: 'attn_q',
  key: 'attn_k',
  value: 'attn_v',
  queryBias: 'attn_q',
  keyBias: 'attn_k',
  valueBias: 'attn_v',
  queryNorm: 'attn_q_norm',
  keyNorm: 'attn_k_norm',
  attnOutput: 'attn_output',
  mlpNorm: 'ffn_norm',
  gate: 'ffn_gate',
  up: 'ffn_up',
  down: 'ffn_down',
  finalNorm: 'output_norm',
  head: 'output',
};

/**
 * What llama.cpp calls a family. It knows no Mistral: a window, which its Llama and Qwen do not have, is in the metadata,
 * and prompts that it does not reach are computed alike.
 */
const architectureOf = (config: ModelConfig): string =>
  config.family === 'mistral' ? 'llama' : familyOf(config).modelType;

/** A value of the metadata with its GGUF type. */
export type MetadataValue =
  | { readonly type: 'u32' | 'f32'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'f32s' | 'i32s'; readonly value: readonly number[] };

/** Value types of the format: uint32, int32, float32, string, array. */
const CODE = { u32: 4, i32: 5, f32: 6, string: 8, array: 9 } as const;

export interface GgufTensor {
  readonly name: string;
  /** Outermost extent first, as in safetensors; the file holds them the other way round. */
  readonly shape: readonly number[];
  readonly dtype: keyof typeof TENSOR_TYPE;
}

class Bytes {
  readonly #chunks: Uint8Array[] = [];

  #number(size: number, set: (view: DataView) => void): void {
    const bytes = new Uint8Array(size);
    set(new DataView(bytes.buffer));
    this.#chunks.push(bytes);
  }
  u32(value: number): void {
    this.#number(4, (view) => view.setUint32(0, value, true));
  }
  i32(value: number): void {
    this.#number(4, (view) => view.setInt32(0, value, true));
  }
  f32(value: number): void {
    this.#number(4, (view) => view.setFloat32(0, value, true));
  }
  u64(value: number): void {
    this.#number(8, (view) => view.setBigUint64(0, BigInt(value), true));
  }
  raw(text: string): void {
    this.#chunks.push(new TextEncoder().encode(text));
  }
  string(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u64(bytes.length);
    this.#chunks.push(bytes);
  }
  concat(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#chunks));
  }
}

function writeValue(out: Bytes, item: MetadataValue): void {
  const array = (code: number, length: number): void => {
    out.u32(CODE.array);
    out.u32(code);
    out.u64(length);
  };
  switch (item.type) {
    case 'u32':
    case 'f32':
      out.u32(CODE[item.type]);
      out[item.type](item.value);
      break;
    case 'string':
      out.u32(CODE.string);
      out.string(item.value);
      break;
    case 'strings':
      array(CODE.string, item.value.length);
      for (const text of item.value) out.string(text);
      break;
    case 'f32s':
      array(CODE.f32, item.value.length);
      for (const value of item.value) out.f32(value);
      break;
    case 'i32s':
      array(CODE.i32, item.value.length);
      for (const value of item.value) out.i32(value);
  }
}

function byteSize({ shape, dtype }: GgufTensor): number {
  return shape.reduce((product, extent) => product * extent, dtype === 'f16' ? 2 : 4);
}

/** Everything before the tensors' data, padding included; each tensor begins at a multiple of 32 bytes after it. */
export function ggufHeader(
  metadata: ReadonlyMap<string, MetadataValue>,
  tensors: readonly GgufTensor[],
): Uint8Array<ArrayBuffer> {
  const out = new Bytes();
  out.raw('GGUF');
  out.u32(VERSION);
  out.u64(tensors.length);
  out.u64(metadata.size);
  for (const [key, value] of metadata) {
    out.string(key);
    writeValue(out, value);
  }
  let offset = 0;
  for (const tensor of tensors) {
    out.string(tensor.name);
    out.u32(tensor.shape.length);
    for (const extent of [...tensor.shape].reverse()) out.u64(extent);
    out.u32(TENSOR_TYPE[tensor.dtype]);
    out.u64(offset);
    offset += Math.ceil(byteSize(tensor) / ALIGNMENT) * ALIGNMENT;
  }
  const bytes = out.concat();
  const padded = new Uint8Array(Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT);
  padded.set(bytes);
  return padded;
}

/**
 * Rows of a query or key projection in the order llama.cpp wants: it rotates neighbours, Hugging Face the two halves of
 * a head.
 */
export function permuteRotary(data: Uint16Array, headDim: number, cols: number): Uint16Array<ArrayBuffer> {
  const out = new Uint16Array(data.length);
  for (let r = 0; r < data.length / cols; r++) {
    const to = mapRow({ kind: 'rotary', offset: 0, headDim }, r);
    out.set(data.subarray(r * cols, (r + 1) * cols), to * cols);
  }
  return out;
}

/** A vocabulary without words: the specials, the bytes, then numbered placeholders. Only token ids go in and out. */
function placeholderVocabulary(size: number): Pick<GgufVocabulary, 'tokens' | 'types'> {
  const [UNKNOWN, CONTROL, NORMAL, BYTE] = [2, 3, 1, 6];
  const tokens = ['<unk>', '<s>', '</s>'];
  const types = [UNKNOWN, CONTROL, CONTROL];
  for (let byte = 0; byte < 256; byte++) {
    tokens.push(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    types.push(BYTE);
  }
  while (tokens.length < size) {
    tokens.push(`[${tokens.length}]`);
    types.push(NORMAL);
  }
  return { tokens: tokens.slice(0, size), types: types.slice(0, size) };
}

interface GgufVocabulary {
  readonly tokens: string[];
  readonly types: number[];
}

export function llamaMetadata(name: string, config: ModelConfig): Map<string, MetadataValue> {
  const u32 = (value: number): MetadataValue => ({ type: 'u32', value });
  const f32 = (value: number): MetadataValue => ({ type: 'f32', value });
  const { tokens, types } = placeholderVocabulary(config.vocab);
  const architecture = architectureOf(config);
  return new Map<string, MetadataValue>([
    ['general.architecture', { type: 'string', value: architecture }],
    ['general.name', { type: 'string', value: name }],
    ['general.file_type', u32(MOSTLY_F16)],
    ['general.alignment', u32(ALIGNMENT)],
    [`${architecture}.block_count`, u32(config.layers)],
    [`${architecture}.context_length`, u32(config.maxPositions)],
    [`${architecture}.embedding_length`, u32(config.hidden)],
    [`${architecture}.feed_forward_length`, u32(config.intermediate)],
    [`${architecture}.attention.head_count`, u32(config.heads)],
    [`${architecture}.attention.head_count_kv`, u32(config.kvHeads)],
    [`${architecture}.attention.key_length`, u32(config.headDim)],
    [`${architecture}.attention.value_length`, u32(config.headDim)],
    [`${architecture}.attention.layer_norm_rms_epsilon`, f32(config.rmsNormEps)],
    [`${architecture}.rope.dimension_count`, u32(config.headDim)],
    [`${architecture}.rope.freq_base`, f32(config.ropeTheta)],
    [`${architecture}.vocab_size`, u32(config.vocab)],
    ...(config.window === undefined ? [] : [[`${architecture}.attention.sliding_window`, u32(config.window)] as const]),
    ['tokenizer.ggml.model', { type: 'string', value: 'llama' }],
    ['tokenizer.ggml.tokens', { type: 'strings', value: tokens }],
    ['tokenizer.ggml.scores', { type: 'f32s', value: tokens.map((_, i) => -i) }],
    ['tokenizer.ggml.token_type', { type: 'i32s', value: types }],
    ['tokenizer.ggml.unknown_token_id', u32(0)],
    ['tokenizer.ggml.bos_token_id', u32(1)],
    ['tokenizer.ggml.eos_token_id', u32(2)],
  ]);
}

function ggufTensor({ role, layer, shape }: LlamaTensor): GgufTensor {
  const kind = role.endsWith('Bias') ? 'bias' : 'weight';
  const name = `${layer === undefined ? '' : `blk.${layer}.`}${NAMES[role]}.${kind}`;
  return { name, shape, dtype: shape.length === 1 ? 'f32' : 'f16' };
}

/** Writes a model as llama.cpp's own converter would: matrices f16, norms and biases f32, a Llama's queries and keys permuted. */
export async function writeGguf(
  name: string,
  config: ModelConfig,
  checkpoint: Checkpoint,
  path: string,
): Promise<void> {
  refuseUnwritten(config);
  const tensors = llamaTensors(config);
  // Of other families it rotates the two halves of a head, as Hugging Face does.
  const pairs = architectureOf(config) === 'llama';
  const file = new FileWriter(path);
  file.write(ggufHeader(llamaMetadata(name, config), tensors.map(ggufTensor)));
  for (const tensor of tensors) {
    let data: Uint16Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
    if (tensor.shape.length === 1) data = await readF32(checkpoint, tensor);
    else data = await readF16(checkpoint, tensor);
    if (pairs && (tensor.role === 'query' || tensor.role === 'key')) {
      data = permuteRotary(data as Uint16Array, config.headDim, config.hidden);
    }
    file.write(new Uint8Array(data.buffer));
    file.pad(ALIGNMENT);
  }
  file.finish();
}
