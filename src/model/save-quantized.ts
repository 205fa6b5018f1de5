import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { TargetDtype, TensorDtype } from '../checkpoint/convert.js';
import type { FusedMatrix } from '../checkpoint/layout.js';
import { planShards, tensorBytes, type NewTensor, type ShardPlan } from '../checkpoint/safetensors/shards.js';
import type { FileSink, ModelSink } from '../checkpoint/sink.js';
import { streamFused } from '../checkpoint/stream.js';
import { groupsOf, quantFormat, type QuantFormat } from '../quantization/formats.js';
import { gptqRows, toGptq, wordsFor, type GptqRows } from '../quantization/gptq.js';
import { quantizedRows, quantizeRows } from '../quantization/quantize.js';
import { zeroOffset, type SavedFormats } from '../quantization/saved.js';
import type { ModelConfig } from './config.js';
import { modelMatrices, storedVocabulary } from './matrices.js';
import { tooLarge } from './row-writer.js';

/** Packed bytes of a matrix that are held at once; a larger one is written in bands of outputs. */
const WINDOW_BYTES = 64 << 20;

/** Writes in flight where a band lies in as many pieces as a tensor has rows. */
const WRITES_AT_ONCE = 256;

/** A tensor of the checkpoint as it is to be saved. */
interface Saving {
  readonly source: FusedMatrix;
  readonly tensors: readonly NewTensor[];
  /** Of the quants; else numbers are stored as `to`. */
  readonly format?: QuantFormat;
  readonly to: TargetDtype;
}

/** What will be saved, and where each tensor goes. */
export interface SavePlan extends ShardPlan {
  readonly savings: readonly Saving[];
  /** What a stored zero is less than the zero it stands for. */
  readonly zeroOffset: 0 | 1;
}

export interface SaveOptions {
  /** Refuse NaN and infinite weights; those to be quantised are refused in any case. */
  readonly check?: boolean;
  /** Bytes written, and the tensor under way. */
  readonly onProgress?: (bytes: number, item: string) => void;
  readonly signal?: AbortSignal;
  /** Packed bytes held at once; 64 MiB by default. */
  readonly windowBytes?: number;
}

const UPPER = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const;
const LOWER = { F32: 'f32', F16: 'f16', BF16: 'bf16' } as const;

function packedTensors(weight: string, rows: number, cols: number, format: QuantFormat): NewTensor[] {
  const name = weight.replace(/weight$/, '');
  const groups = groupsOf(cols, format);
  return [
    { name: `${name}qweight`, dtype: 'I32', shape: [wordsFor(cols, format.bits), rows] },
    { name: `${name}qzeros`, dtype: 'I32', shape: [groups, wordsFor(rows, format.bits)] },
    { name: `${name}scales`, dtype: 'F16', shape: [groups, rows] },
    { name: `${name}g_idx`, dtype: 'I32', shape: [cols] },
  ];
}

/**
 * Plans the files of a quantised checkpoint, whose tensors keep the names and the order of rows they have. Layers and,
 * if asked for, embedding and head become GPTQ's tensors; norms stay as they are.
 *
 * @param metadata of each file's header
 * @throws RidgepointError naming the tensor that is missing or misshapen
 */
export function planSaving(
  checkpoint: Checkpoint,
  config: ModelConfig,
  { dtype, head }: SavedFormats,
  metadata: Readonly<Record<string, string>>,
  shardBytes?: number,
): SavePlan {
  const savings = modelMatrices(config, storedVocabulary(config, checkpoint)).flatMap(({ kind, source }) =>
    source.parts.map(({ tensor, rows }): Saving => {
      const { cols } = source;
      const own: FusedMatrix = {
        name: tensor,
        rows,
        cols,
        parts: [{ tensor, rows, map: { kind: 'block', offset: 0 } }],
      };
      const shape = kind === 'norm' ? [rows] : [rows, cols];
      const { dtype: stored } = checkpoint.require(tensor, shape);
      const asked = kind === 'layer' ? dtype : head;
      const format = kind === 'norm' ? undefined : quantFormat(asked);
      if (format !== undefined) {
        return { source: own, tensors: packedTensors(tensor, rows, cols, format), format, to: 'f32' };
      }
      const to = kind === 'norm' ? LOWER[stored] : (asked as TargetDtype);
      return { source: own, tensors: [{ name: tensor, dtype: UPPER[to] satisfies TensorDtype, shape }], to };
    }),
  );
  return {
    savings,
    zeroOffset: zeroOffset(dtype),
    ...planShards(
      savings.map(({ tensors }) => tensors),
      metadata,
      shardBytes,
    ),
  };
}

/**
 * Writes the files of a plan. Host memory stays within a band of rows whatever the model's size.
 *
 * @throws RidgepointError naming the tensor that cannot be read or quantised, or the file that cannot be written
 */
export async function saveQuantized(
  checkpoint: Checkpoint,
  plan: SavePlan,
  sink: ModelSink,
  options: SaveOptions = {},
): Promise<void> {
  const files = new Map<string, FileSink>();
  const close = (): Promise<void>[] => [...files.values()].map((file) => file.close());
  try {
    let done = 0;
    for (const { name, header } of plan.files) {
      const file = await sink.create(name);
      files.set(name, file);
      await file.write(0, header);
      done += header.length;
    }
    for (const saving of plan.savings) {
      options.onProgress?.(done, saving.source.name);
      const output = new Output(plan, files, saving);
      const pieces = saving.format
        ? packed(checkpoint, saving, saving.format, output, options)
        : plain(checkpoint, saving, output, options);
      for await (const bytes of pieces) {
        options.signal?.throwIfAborted();
        done += bytes;
        options.onProgress?.(done, saving.source.name);
      }
    }
  } catch (error) {
    await Promise.allSettled(close());
    throw error;
  }
  await Promise.all(close());
}

/** The tensors of a matrix in their files. */
class Output {
  readonly #files: ReadonlyMap<string, FileSink>;
  readonly #saving: Saving;

  constructor(
    readonly plan: SavePlan,
    files: ReadonlyMap<string, FileSink>,
    saving: Saving,
  ) {
    this.#files = files;
    this.#saving = saving;
  }

  /** Writes bytes [rows][width] to columns of a tensor [rows, rowBytes]. @returns bytes written */
  async columns(index: number, rows: number, rowBytes: number, from: number, values: ArrayBufferView): Promise<number> {
    const { file, begin } = this.plan.places.get(this.#saving.tensors[index].name)!;
    const sink = this.#files.get(file)!;
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const width = bytes.length / rows;
    if (width === rowBytes) await sink.write(begin, bytes);
    else {
      for (let row = 0; row < rows; row += WRITES_AT_ONCE) {
        const some = Array.from({ length: Math.min(WRITES_AT_ONCE, rows - row) }, (_, i) => row + i);
        const piece = (each: number): Uint8Array => bytes.subarray(each * width, (each + 1) * width);
        await Promise.all(some.map((each) => sink.write(begin + each * rowBytes + from, piece(each))));
      }
    }
    return bytes.length;
  }

  /** Writes bytes of a tensor from `offset` on. */
  async run(index: number, offset: number, bytes: Uint8Array): Promise<number> {
    const { file, begin } = this.plan.places.get(this.#saving.tensors[index].name)!;
    await this.#files.get(file)!.write(begin + offset, bytes);
    return bytes.length;
  }
}

async function* plain(checkpoint: Checkpoint, { source, to, tensors }: Saving, output: Output, { check }: SaveOptions) {
  const rowBytes = tensorBytes(tensors[0]) / source.rows;
  for await (const { rowsBegin, bytes } of streamFused(checkpoint, source, { to, check })) {
    yield await output.run(0, rowsBegin * rowBytes, bytes);
  }
}

async function* packed(
  checkpoint: Checkpoint,
  { source, tensors }: Saving,
  format: QuantFormat,
  output: Output,
  { windowBytes = WINDOW_BYTES }: SaveOptions,
) {
  const { rows, cols } = source;
  const words = wordsFor(cols, format.bits);
  const groups = groupsOf(cols, format);
  const [, { shape: zeroShape }] = tensors;
  // A multiple of the numbers in a word, since zeros are packed along the outputs.
  const bandRows = Math.max(1, Math.floor(windowBytes / (4 * words + 3 * groups) / 8)) * 8;
  for (let begin = 0; begin < rows; begin += bandRows) {
    const end = Math.min(begin + bandRows, rows);
    const band = await quantizedBand(checkpoint, source, format, begin, end);
    yield await output.columns(0, words, 4 * rows, 4 * begin, band.words);
    const zeros = packedZeros(band, groups, format.bits, output.plan.zeroOffset);
    yield await output.columns(1, groups, 4 * zeroShape[1], (begin * format.bits) / 8, zeros);
    yield await output.columns(2, groups, 2 * rows, 2 * begin, band.scales);
  }
  const groupOf = Int32Array.from({ length: cols }, (_, input) => Math.floor(input / format.group));
  yield await output.columns(3, 1, 4 * cols, 0, groupOf);
}

/** Rows quantised as loading quantises them. */
async function quantizedBand(
  checkpoint: Checkpoint,
  source: FusedMatrix,
  format: QuantFormat,
  begin: number,
  end: number,
): Promise<GptqRows> {
  const { cols } = source;
  const stride = Math.ceil(cols / 8) * 8;
  const band = gptqRows(end - begin, cols, format);
  const slabs = streamFused(checkpoint, source, {
    ...{ to: 'f32', strideCols: stride, rowsBegin: begin, rowsEnd: end },
    check: true,
  });
  for await (const { rowsBegin, rows, bytes } of slabs) {
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, rows * stride);
    const made = quantizedRows(rows, stride, format);
    const bad = quantizeRows(values, { rows, columns: stride, format }, made);
    if (bad >= 0) throw tooLarge(source.name, values[bad]);
    toGptq(made, { rows, stride, columns: cols, format }, band, rowsBegin - begin);
  }
  return band;
}

/** Zeros as GPTQ packs them along the outputs. */
function packedZeros({ rows, zeros }: GptqRows, groups: number, bits: number, offset: number): Uint32Array {
  const words = wordsFor(rows, bits);
  const packed = new Uint32Array(groups * words);
  const pack = 32 / bits;
  const mask = 2 ** bits - 1;
  for (let group = 0; group < groups; group++) {
    for (let row = 0; row < rows; row++) {
      packed[group * words + Math.floor(row / pack)] |=
        ((zeros[group * rows + row] - offset) & mask) << (bits * (row % pack));
    }
  }
  return packed;
}
