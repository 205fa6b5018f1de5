import { describe, expect, it } from 'vitest';
import { forwardOperations, parameterCount } from '../../src/model/cost.js';
import { operationShapes, phaseOf, type Operation, type Precision } from '../../src/model/operations.js';
import { LLAMA_2_7B, tinyConfig } from '../support/model.js';

const F16: Precision = { weightBytes: 2, kvBytes: 2, activationBytes: 4 };
/** Weights of Llama-2-7B that a token is multiplied with: all but the embedding table and the norms' scales. */
const MULTIPLIED = 6_738_415_616 - 32_000 * 4096 - 65 * 4096;

const sum = (
  list: readonly Operation[],
  key: 'flops' | 'weightBytes' | 'activationBytes' | 'kvReadBytes' | 'kvWriteBytes',
): number => list.reduce((total, operation) => total + operation[key], 0);
const of = (list: readonly Operation[], kind: string): Operation[] => list.filter((entry) => entry.kind === kind);
const named = (list: readonly Operation[], name: string): Operation => list.find((entry) => entry.name === name)!;

describe('parameterCount', () => {
  it('is that of the model cards', () => {
    expect(parameterCount(LLAMA_2_7B)).toBe(6_738_415_616);
    const llama2_13b = { ...LLAMA_2_7B, layers: 40, hidden: 5120, intermediate: 13824, heads: 40, kvHeads: 40 };
    expect(parameterCount(llama2_13b)).toBe(13_015_864_320);
    const wide = { ...LLAMA_2_7B, intermediate: 14336, kvHeads: 8, vocab: 128_256 };
    expect(parameterCount(wide)).toBe(8_030_261_248); // Llama 3.1 8B
    const tied = { ...wide, layers: 16, hidden: 2048, intermediate: 8192, headDim: 64, tiedEmbeddings: true };
    expect(parameterCount(tied)).toBe(1_235_814_400); // Llama 3.2 1B
  });
});

describe('operationShapes', () => {
  it('lists a forward pass in order', () => {
    const names = operationShapes(tinyConfig()).map(({ name }) => name);
    const layer = ['attn_norm', 'qkv', 'rope_kv', 'attention', 'o_proj', 'mlp_norm', 'gate_up', 'down_proj'];
    expect(names).toEqual([
      'embed',
      ...layer.map((name) => `layers.0.${name}`),
      ...layer.map((name) => `layers.1.${name}`),
      ...['lm_head', 'sample'],
    ]);
    expect(new Set(operationShapes(LLAMA_2_7B).map(({ name }) => name)).size).toBe(1 + 32 * 8 + 2);
  });

  it('knows the shapes and which rows an operation works on', () => {
    const shapes = new Map(operationShapes(tinyConfig()).map((shape) => [shape.name, shape]));
    expect(shapes.get('layers.1.qkv')).toMatchObject({ kind: 'matmul', layer: 1, rows: 'tokens', n: 128, k: 64 });
    expect(shapes.get('layers.0.gate_up')).toMatchObject({ n: 344, k: 64 });
    expect(shapes.get('layers.0.down_proj')).toMatchObject({ n: 64, k: 172 });
    expect(shapes.get('lm_head')).toMatchObject({ layer: undefined, rows: 'logits', n: 105, k: 64 });
    const logits = [...shapes.values()].filter(({ rows }) => rows === 'logits').map(({ name }) => name);
    expect(logits).toEqual(['lm_head', 'sample']);
    const prompts = [...shapes.values()].filter(({ rows }) => rows === 'prompts').map(({ name }) => name);
    expect(prompts.slice(0, 3)).toEqual(['layers.0.attn_norm', 'layers.0.rope_kv', 'layers.0.mlp_norm']);
  });
});

describe('activations in 8 bits', () => {
  const W8A8: Precision = { ...F16, productBytes: 1 };
  const prompt = { sequences: [{ newTokens: 512, context: 0 }], logitRows: 1 };
  const plain = forwardOperations(LLAMA_2_7B, prompt, F16);
  const list = forwardOperations(LLAMA_2_7B, prompt, W8A8);

  it('are quantised by norms, and by operations of their own where there is none', () => {
    const names = operationShapes(tinyConfig(), { activations: 'int8' }).map(({ name }) => name);
    expect(names.slice(1, 11).map((name) => name.replace('layers.0.', ''))).toEqual([
      ...['attn_norm', 'qkv', 'rope_kv', 'attention', 'attn_quantise', 'o_proj'],
      ...['mlp_norm', 'gate_up', 'mlp_quantise', 'down_proj'],
    ]);
    expect(list.map(({ name }) => name)).toEqual(
      operationShapes(LLAMA_2_7B, { activations: 'int8' }).map(({ name }) => name),
    );
    expect(named(list, 'layers.0.attn_norm').activationBytes).toBe(512 * 4096 * 5);
    expect(named(list, 'layers.0.mlp_quantise').activationBytes).toBe(512 * 11008 * 5);
    expect(named(list, 'lm_head')).toEqual(named(plain, 'lm_head'));
  });

  it('are what projections of prompts read, and only those', () => {
    const read = (name: string): number => named(plain, name).activationBytes - named(list, name).activationBytes;
    expect(read('layers.0.qkv')).toBe(512 * 4096 * 3);
    expect(read('layers.0.down_proj')).toBe(512 * 11008 * 3);
    expect(read('lm_head')).toBe(0);
    expect(sum(list, 'weightBytes')).toBe(sum(plain, 'weightBytes'));
    const mixed = { sequences: [{ newTokens: 1, context: 9 }, ...prompt.sequences], logitRows: 2 };
    const both = [F16, W8A8].map((precision) => named(forwardOperations(LLAMA_2_7B, mixed, precision), 'layers.0.qkv'));
    expect(both[0].activationBytes - both[1].activationBytes).toBe(512 * 4096 * 3);
    const decode = { sequences: [{ newTokens: 1, context: 9 }], logitRows: 1 };
    const rows = forwardOperations(LLAMA_2_7B, decode, W8A8).filter(({ m }) => m > 0);
    expect(rows).toEqual(forwardOperations(LLAMA_2_7B, decode, F16).filter(({ m }) => m > 0));
  });
});

describe('rows of prompts in f16', () => {
  const F32_ROWS: Precision = { ...F16, activationBytes: 4 };
  const HALF: Precision = { ...F32_ROWS, productBytes: 2 };
  const batch = {
    sequences: [
      { newTokens: 1, context: 9 },
      { newTokens: 512, context: 0 },
    ],
    logitRows: 2,
  };
  const [plain, half] = [F32_ROWS, HALF].map((precision) => forwardOperations(LLAMA_2_7B, batch, precision));
  const spared = (name: string): number => named(plain, name).activationBytes - named(half, name).activationBytes;

  it('take no operations of their own, and half of what norms, attention and gates write and products read', () => {
    expect(half.map(({ name }) => name)).toEqual(plain.map(({ name }) => name));
    expect(spared('layers.0.attn_norm')).toBe(512 * 4096 * 2);
    expect(spared('layers.0.qkv')).toBe(512 * 4096 * 2);
    expect(spared('layers.0.attention')).toBe(512 * 4096 * 2);
    expect(spared('layers.0.o_proj')).toBe(512 * 4096 * 2);
    expect(spared('layers.0.gate_up')).toBe(512 * (4096 + 11008) * 2);
    expect(spared('layers.0.down_proj')).toBe(512 * 11008 * 2);
    for (const name of ['embed', 'layers.0.rope_kv', 'lm_head', 'sample']) expect(spared(name)).toBe(0);
    expect(named(half, 'layers.0.attn_norm').activationBytes).toBe(512 * 4096 * 6);
  });

  it('leave decoding sequences and all else as they are', () => {
    const decode = { sequences: [{ newTokens: 1, context: 9 }], logitRows: 1 };
    expect(forwardOperations(LLAMA_2_7B, decode, HALF)).toEqual(forwardOperations(LLAMA_2_7B, decode, F32_ROWS));
    for (const part of ['flops', 'weightBytes', 'kvReadBytes', 'kvWriteBytes'] as const) {
      expect(sum(half, part)).toBe(sum(plain, part));
    }
  });
});

describe('the cost of Llama-2-7B', () => {
  const decode = forwardOperations(LLAMA_2_7B, { sequences: [{ newTokens: 1, context: 1023 }], logitRows: 1 }, F16);
  const prefill = forwardOperations(LLAMA_2_7B, { sequences: [{ newTokens: 512, context: 0 }], logitRows: 1 }, F16);

  it('decode: two FLOPs a weight, every weight read once', () => {
    const silu = 32 * 4 * 11008;
    const norms = (2 * 32 + 1) * 4 * 4096;
    const rotations = 32 * 3 * 2 * 4096;
    expect(sum(of(decode, 'matmul'), 'flops')).toBe(2 * MULTIPLIED + silu + norms + rotations);
    expect(sum(of(decode, 'matmul'), 'weightBytes')).toBe(2 * MULTIPLIED + 65 * 4096 * 4);
    expect(sum(of(decode, 'norm'), 'weightBytes'), 'no norm has a launch of its own').toBe(0);
    expect(named(decode, 'embed').weightBytes).toBe(4096 * 2);
    expect(decode.every(({ phase }) => phase === 'decode')).toBe(true);
    // All but attention and what is done element by element: "2 x parameters a token".
    expect(sum(decode, 'flops') / (2 * 6_738_415_616)).toBeGreaterThan(0.98);
  });

  it('decode: a layer takes five launches, and one more where attention is split', () => {
    const launched = decode.filter(({ layer, m }) => layer === 0 && m > 0).map(({ name }) => name.slice(9));
    expect(launched).toEqual(['qkv', 'attention', 'o_proj', 'gate_up', 'down_proj']);
  });

  it('decode: half a MiB of keys and values a token, all read, one written', () => {
    expect(sum(decode, 'kvReadBytes')).toBe(1024 * 524_288);
    expect(sum(decode, 'kvWriteBytes')).toBe(524_288);
    expect(named(decode, 'layers.31.attention').flops).toBe(4 * 4096 * 1024 + 5 * 32 * 1024);
  });

  it('decode over a cache of int8: a launch more, and half the bytes but for a scale a head', () => {
    const precision = { ...F16, kvBytes: 1, kvScaleBytes: 4 };
    const batch = { sequences: [{ newTokens: 1, context: 1023 }], logitRows: 1 };
    const list = forwardOperations(LLAMA_2_7B, batch, precision);
    const launched = list.filter(({ layer, m }) => layer === 0 && m > 0).map(({ name }) => name.slice(9));
    expect(launched).toEqual(['qkv', 'rope_kv', 'attention', 'o_proj', 'gate_up', 'down_proj']);
    const token = 2 * 32 * 32 * (128 + 4);
    expect(sum(list, 'kvReadBytes')).toBe(1024 * token);
    expect(sum(list, 'kvWriteBytes')).toBe(token);
    // Queries, keys and values are stored and read again; the fused launch writes rotated queries only.
    expect(sum(list, 'flops')).toBe(sum(decode, 'flops'));
    const more = 32 * 4 * (3 + 3 + 1 - 1) * 4096;
    expect(sum(list, 'activationBytes') - sum(decode, 'activationBytes')).toBe(more);
  });

  it('prefill: a token costs the layers, the head only the rows that want logits', () => {
    const head = 32_000 * 4096;
    // With the last norm.
    const norm = { flops: 4 * 4096, weightBytes: 4 * 4096 };
    const [flops, weightBytes] = [2 * head + norm.flops, 2 * head + norm.weightBytes];
    expect(named(prefill, 'lm_head')).toMatchObject({ m: 1, flops, weightBytes });
    const silu = 512 * 32 * 4 * 11008;
    expect(sum(of(prefill, 'matmul'), 'flops')).toBe(512 * 2 * (MULTIPLIED - head) + flops + silu);
    expect(sum(of(prefill, 'matmul'), 'weightBytes'), 'read once whatever the rows').toBe(
      2 * MULTIPLIED + norm.weightBytes,
    );
    expect(sum(prefill, 'kvWriteBytes')).toBe(512 * 524_288);
    expect(sum(prefill, 'kvReadBytes')).toBe(512 * 524_288);
    const pairs = (512 * 513) / 2;
    expect(named(prefill, 'layers.0.attention').flops).toBe((4 * 4096 + 5 * 32) * pairs);
    expect(prefill.every(({ phase }) => phase === 'prefill')).toBe(true);
  });

  it('a chunk with context sees that and what came before in the chunk', () => {
    const [chunk] = of(
      forwardOperations(LLAMA_2_7B, { sequences: [{ newTokens: 3, context: 10 }], logitRows: 0 }, F16),
      'attention',
    );
    expect(chunk.flops).toBe((4 * 4096 + 5 * 32) * (11 + 12 + 13));
    expect(chunk.kvReadBytes).toBe((13 * 524_288) / 32);
  });

  it('adds up over sequences and does not read the head where nobody wants a token', () => {
    const sequences = [
      { newTokens: 1, context: 99 },
      { newTokens: 1, context: 0 },
      { newTokens: 7, context: 5 },
    ];
    const mixed = forwardOperations(LLAMA_2_7B, { sequences, logitRows: 0 }, F16);
    expect(named(mixed, 'layers.0.qkv').m).toBe(9);
    expect(named(mixed, 'lm_head')).toMatchObject({ m: 0, flops: 0, weightBytes: 0 });
    expect(sum(mixed, 'kvWriteBytes')).toBe(9 * 524_288);
    expect(sum(mixed, 'kvReadBytes')).toBe((100 + 1 + 12) * 524_288);
    expect(mixed[0].phase).toBe('mixed');
  });

  it('grouped queries shrink the cache, not the work of attention', () => {
    const grouped = { ...LLAMA_2_7B, kvHeads: 8 };
    const list = forwardOperations(grouped, { sequences: [{ newTokens: 1, context: 1023 }], logitRows: 1 }, F16);
    expect(sum(list, 'kvReadBytes')).toBe((1024 * 524_288) / 4);
    expect(named(list, 'layers.0.attention').flops).toBe(named(decode, 'layers.0.attention').flops);
  });
});

describe('phaseOf', () => {
  it('knows a prompt of one token where it is told', () => {
    expect(phaseOf({ sequences: [{ newTokens: 1, context: 3, prefill: true }], logitRows: 1 })).toBe('prefill');
  });

  it.each([
    ['decode', [1]],
    ['decode', [1, 1, 1]],
    ['prefill', [2]],
    ['prefill', [5, 300]],
    ['mixed', [1, 2]],
  ] as const)('%s: new tokens %j', (phase, list) => {
    const sequences = list.map((newTokens) => ({ newTokens, context: 3 }));
    expect(phaseOf({ sequences, logitRows: sequences.length })).toBe(phase);
  });
});
