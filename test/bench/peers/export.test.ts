import fc from 'fast-check';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ggufHeader, permuteRotary, writeGguf, type MetadataValue } from '../../../bench/peers/export/gguf.js';
import { transpose, writeOnnx } from '../../../bench/peers/export/onnx.js';
import { syntheticTensor, writeSynthetic } from '../../../bench/peers/export/synthetic.js';
import { llamaTensors } from '../../../bench/peers/export/tensors.js';
import type { Checkpoint } from '../../../src/checkpoint/checkpoint.js';
import { openCheckpoint } from '../../../src/checkpoint/open.js';
import { f16ToF32, f32Value } from '../../../src/checkpoint/float.js';
import { parseConfig } from '../../../src/model/config.js';
import { openFolder } from '../../../src/platform/node/files.js';
import { readGguf } from './gguf-reader.js';
import { fields, text, type Field } from './protobuf-reader.js';

const json = {
  architectures: ['LlamaForCausalLM'],
  hidden_size: 24,
  intermediate_size: 40,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 6,
  num_hidden_layers: 2,
  vocab_size: 300,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: false,
};
const config = parseConfig(json);

let folder: string;
let checkpoint: Checkpoint;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ridgepoint-export-'));
  writeSynthetic(json, folder);
  checkpoint = await openCheckpoint(await openFolder(folder));
});
afterAll(async () => {
  await checkpoint.close();
  await rm(folder, { recursive: true, force: true });
});

async function stored(name: string, shape: readonly number[]): Promise<Uint16Array> {
  const info = checkpoint.require(name, shape);
  const bytes = new Uint8Array(info.end - info.begin);
  await checkpoint.readRange(name, 0, bytes);
  return new Uint16Array(bytes.buffer);
}

const of = (list: Field[], field: number) => list.filter((item) => item.field === field);
const names = (list: Field[], field: number) => of(list, field).map(({ bytes }) => text(bytes));

/** What an ONNX file has, its wiring looked over: nothing is used before it is made, and every output is made. */
async function onnxParts(path: string) {
  const model = fields(new Uint8Array(await readFile(path)));
  const graph = fields(model.find(({ field }) => field === 7)!.bytes);
  const initializers = of(graph, 5).map(({ bytes }) => fields(bytes));
  const known = new Set([
    ...initializers.flatMap((tensor) => names(tensor, 8)),
    ...of(graph, 11).flatMap(({ bytes }) => names(fields(bytes), 1)),
  ]);
  for (const { bytes } of of(graph, 1)) {
    const node = fields(bytes);
    for (const input of names(node, 1)) expect(known, text(of(node, 3)[0].bytes)).toContain(input);
    names(node, 2).forEach((output) => known.add(output));
  }
  const outputs = of(graph, 12).flatMap(({ bytes }) => names(fields(bytes), 1));
  expect(outputs).toContain('present.1.value');
  for (const output of outputs) expect(known).toContain(output);
  const nodes = of(graph, 1).map(({ bytes }) => fields(bytes));
  return { initializers, nodes };
}

describe('made-up weights', () => {
  it('are a checkpoint with every tensor of the model and no other', () => {
    const tensors = llamaTensors(config);
    expect([...checkpoint.tensors.keys()].sort()).toEqual(tensors.map(({ name }) => name).sort());
    for (const { name, shape } of tensors) expect(checkpoint.require(name, shape).dtype).toBe('F16');
  });

  it('have mean 0 and variance 1 / inputs', () => {
    const values = Array.from(syntheticTensor({ role: 'gate', name: 'x', layer: 0, shape: [400, 100] }), (bits) =>
      f32Value(f16ToF32(bits)),
    );
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
    const variance = values.reduce((sum, v) => sum + v * v, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.002);
    expect(variance * 100).toBeGreaterThan(0.97);
    expect(variance * 100).toBeLessThan(1.03);
  });
});

describe('GGUF', () => {
  const value = fc.oneof(
    fc.record({ type: fc.constant('u32' as const), value: fc.nat() }),
    fc.record({ type: fc.constant('f32' as const), value: fc.float({ noNaN: true }) }),
    fc.record({ type: fc.constant('string' as const), value: fc.string({ unit: 'grapheme' }) }),
    fc.record({ type: fc.constant('strings' as const), value: fc.array(fc.string({ unit: 'grapheme' })) }),
    fc.record({ type: fc.constant('i32s' as const), value: fc.array(fc.integer()) }),
    fc.record({ type: fc.constant('f32s' as const), value: fc.array(fc.float({ noNaN: true })) }),
  );
  const tensor = fc.record({
    name: fc.string(),
    shape: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
    dtype: fc.constantFrom('f16' as const, 'f32' as const),
  });

  it('reads back what was written', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), value), fc.array(tensor), (metadata, tensors) => {
        const entries = new Map<string, MetadataValue>(Object.entries(metadata));
        const bytes = ggufHeader(entries, tensors);
        const file = readGguf(bytes);
        expect(file.metadata).toEqual(new Map([...entries].map(([key, item]) => [key, item.value])));
        expect(file.tensors.map(({ name, shape, dtype }) => ({ name, shape, dtype }))).toEqual(tensors);
        expect(bytes.length).toBe(file.dataBegin);
        let end = 0;
        for (const { offset, bytes: size } of file.tensors) {
          expect(offset % 32).toBe(0);
          expect(offset - end).toBeGreaterThanOrEqual(0);
          expect(offset - end).toBeLessThan(32);
          end = offset + size;
        }
      }),
    );
  });

  it('holds every weight, queries and keys as pairs of neighbours', async () => {
    const path = join(folder, 'model.gguf');
    await writeGguf('made-up', config, checkpoint, path);
    const bytes = new Uint8Array(await readFile(path));
    const file = readGguf(bytes);
    const data = (name: string) => {
      const found = file.tensors.find((entry) => entry.name === name)!;
      return bytes.slice(file.dataBegin + found.offset, file.dataBegin + found.offset + found.bytes);
    };
    expect(file.tensors).toHaveLength(llamaTensors(config).length);
    expect(file.metadata.get('tokenizer.ggml.tokens')).toHaveLength(300);
    const down = await stored('model.layers.1.mlp.down_proj.weight', [24, 40]);
    expect(new Uint16Array(data('blk.1.ffn_down.weight').buffer)).toEqual(down);
    expect(new Float32Array(data('output_norm.weight').buffer)).toEqual(new Float32Array(24).fill(1));

    // As llama.cpp's converter does: [heads, 2, headDim / 2, cols] with the two middle axes swapped.
    const key = await stored('model.layers.0.self_attn.k_proj.weight', [12, 24]);
    const permuted = new Uint16Array(data('blk.0.attn_k.weight').buffer);
    for (let head = 0; head < 2; head++) {
      for (let half = 0; half < 2; half++) {
        for (let i = 0; i < 3; i++) {
          const from = (head * 6 + half * 3 + i) * 24;
          const to = (head * 6 + i * 2 + half) * 24;
          expect(permuted.subarray(to, to + 24)).toEqual(key.subarray(from, from + 24));
        }
      }
    }
  });

  it('permutes rows and loses none', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 8 }), (heads, half) => {
        const rows = heads * half * 2;
        const out = permuteRotary(
          Uint16Array.from({ length: rows }, (_, i) => i),
          half * 2,
          1,
        );
        expect([...out].sort((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, i) => i));
        for (let pair = 0; pair < rows; pair += 2) expect(out[pair + 1] - out[pair]).toBe(half);
      }),
    );
  });
});

describe('ONNX', () => {
  it('transposes any shape', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 70 }), (rows, cols) => {
        const data = Uint16Array.from({ length: rows * cols }, (_, i) => i);
        const turned = transpose(data, rows, cols);
        for (let r = 0; r < rows; r++) {
          for (let c = 0; c < cols; c++) expect(turned[c * rows + r]).toBe(data[r * cols + c]);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('uses only what was made before, makes every output, and points at its data', async () => {
    const path = join(folder, 'model.onnx');
    await writeOnnx('made-up', config, checkpoint, path);
    const data = new Uint8Array(await readFile(`${path}_data`));
    const { initializers } = await onnxParts(path);
    let end = 0;
    for (const tensor of initializers.filter((list) => of(list, 14).length > 0)) {
      const place = new Map(
        of(tensor, 13).map(({ bytes }) => names(fields(bytes), 1).concat(names(fields(bytes), 2)) as [string, string]),
      );
      expect(Number(place.get('offset'))).toBe(end);
      end += Number(place.get('length'));
      if (names(tensor, 8)[0] !== 'model.layers.1.mlp.up_proj.weight') continue;
      const up = await stored('model.layers.1.mlp.up_proj.weight', [40, 24]);
      const turned = new Uint16Array(data.slice(Number(place.get('offset')), end).buffer);
      expect(turned).toEqual(transpose(up, 40, 24));
    }
    expect(end).toBe(data.length);
  });
});

/** Of each family what a Llama has not: tensors in GGUF, and what ONNX has nodes for. */
describe.each([
  ['Mistral', { sliding_window: 16 }, [], { 'llama.attention.sliding_window': 16 }],
  ['Qwen2', {}, ['blk.1.attn_q.bias', 'blk.0.attn_v.bias'], { 'qwen2.rope.dimension_count': 6 }],
  ['Qwen3', {}, ['blk.1.attn_q_norm.weight', 'blk.0.attn_k_norm.weight'], { 'qwen3.attention.key_length': 6 }],
] as const)('a %s', (name, keys, tensors, metadata) => {
  const family = { ...json, ...keys, architectures: [`${name}ForCausalLM`], model_type: name.toLowerCase() };

  it('is written in both formats', async () => {
    const path = join(folder, name);
    const parsed = parseConfig(family);
    writeSynthetic(family, path);
    const own = await openCheckpoint(await openFolder(path));
    await writeGguf(name, parsed, own, join(path, 'model.gguf'));
    await writeOnnx(name, parsed, own, join(path, 'model.onnx'));
    const bytes = new Uint8Array(await readFile(join(path, 'model.gguf')));
    const file = readGguf(bytes);
    expect(Object.fromEntries(file.metadata)).toMatchObject(metadata);
    const there = new Map(file.tensors.map((tensor) => [tensor.name, tensor]));
    for (const tensor of tensors) expect(there.get(tensor)?.dtype, tensor).toBe('f32');
    expect(there.size).toBe(own.tensors.size);
    // Rows of queries stay as they are where halves of a head are rotated.
    const { offset, bytes: size } = there.get('blk.0.attn_q.weight')!;
    const query = new Uint8Array(size);
    await own.readRange('model.layers.0.self_attn.q_proj.weight', 0, query);
    const written = bytes.slice(file.dataBegin + offset, file.dataBegin + offset + size);
    expect(Buffer.compare(written, query) === 0).toBe(name !== 'Mistral');
    await own.close();

    const { initializers, nodes } = await onnxParts(join(path, 'model.onnx'));
    const used = new Set(nodes.flatMap((node) => names(node, 1)));
    for (const weight of initializers.flatMap((tensor) => names(tensor, 8))) expect(used, weight).toContain(weight);
    const kinds = nodes.flatMap((node) => names(node, 4));
    const count = (kind: string): number => kinds.filter((each) => each === kind).length;
    expect(count('Add')).toBe(name === 'Qwen2' ? 6 : 0);
    expect(count('SimplifiedLayerNormalization')).toBe(name === 'Qwen3' ? 5 : 1);
    const attributes = nodes
      .filter((node) => names(node, 4)[0] === 'GroupQueryAttention')
      .flatMap((node) => of(node, 5).flatMap(({ bytes }) => names(fields(bytes), 1)));
    expect(attributes.includes('local_window_size')).toBe(name === 'Mistral');
  });
});
