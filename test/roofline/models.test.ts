import { describe, expect, test } from 'vitest';
import { forwardOperations } from '../../src/model/cost.js';
import type { BatchShape, Operation } from '../../src/model/operations.js';
import { BLOOM_176B } from '../../src/roofline/models/bloom.js';
import { DEEPSEEK_V2, distinctExperts } from '../../src/roofline/models/deepseek.js';
import { expand, familyModel, type Model } from '../../src/roofline/models/models.js';
import { preset, presetConfig, presetNames } from './models.js';

const precision = { weightBytes: 2, kvBytes: 2, activationBytes: 2 };
const prefill = (tokens: number): BatchShape => ({ sequences: [{ newTokens: tokens, context: 0 }], logitRows: 1 });
const decode = (batch: number, context: number): BatchShape => ({
  sequences: Array.from({ length: batch }, () => ({ newTokens: 1, context })),
  logitRows: batch,
});
const mixed: BatchShape = {
  sequences: [
    { newTokens: 1, context: 100 },
    { newTokens: 64, context: 32 },
  ],
  logitRows: 2,
};
const total = (operations: readonly Operation[], key: 'flops' | 'weightBytes' | 'kvReadBytes'): number =>
  operations.reduce((sum, operation) => sum + operation[key], 0);

describe.each(presetNames)('%s', (name) => {
  test.each([
    ['prefill', prefill(77)],
    ['decode', decode(3, 500)],
    ['mixed', mixed],
  ])('priced by equal layers is the engine’s own list: %s', (_, batch) => {
    const full = forwardOperations(presetConfig(name), batch, precision);
    expect(expand(preset(name).segments(batch, precision))).toEqual(full);
    expect(preset(name).operations(batch, precision)).toEqual(full);
  });
});

test('layers that differ are segments, priced as the engine’s own list', () => {
  const windowed = [true, false, false, true, true];
  const config = { ...presetConfig('mistral-7b'), layers: windowed.length, window: 30, windowed };
  const model = familyModel('windows', config);
  const segments = model.segments(mixed, precision);
  expect(segments.map(({ count }) => count)).toEqual([1, 1, 2, 2, 1]);
  expect(expand(segments)).toEqual(forwardOperations(config, mixed, precision));
});

test('published numbers of parameters', () => {
  const billions = (model: Model) => model.parameters / 1e9;
  expect(billions(preset('llama-2-7b'))).toBeCloseTo(6.738, 3);
  expect(billions(preset('llama-3.1-8b'))).toBeCloseTo(8.03, 2);
  expect(billions(preset('llama-2-70b'))).toBeCloseTo(68.98, 2);
  expect(billions(BLOOM_176B)).toBeCloseTo(176.25, 2); // 176,247,271,424
  expect(billions(DEEPSEEK_V2)).toBeCloseTo(235.7, 1);
  expect(DEEPSEEK_V2.activeParameters / 1e9).toBeCloseTo(21.4, 0); // "21B activated"
});

test('bytes of the cache a token', () => {
  expect(preset('llama-2-7b').kvElements * 2).toBe(524_288);
  expect(preset('llama-3.1-8b').kvElements * 2).toBe(131_072); // GQA; the tutorial’s 1.20 GB at 2048 would be 0.268 GB
  expect(BLOOM_176B.kvElements * 2).toBe(4_014_080);
  expect(DEEPSEEK_V2.kvElements * 2).toBe(60 * 576 * 2);
});

describe('BLOOM and DeepSeek-V2', () => {
  test.each([BLOOM_176B, DEEPSEEK_V2])('$name: names are unique, layers numbered, phases right', (model) => {
    const operations = model.operations(decode(2, 10), precision);
    expect(new Set(operations.map(({ name }) => name)).size).toBe(operations.length);
    expect(new Set(operations.map(({ layer }) => layer)).size).toBe(model.layers + 1);
    expect(operations.every(({ phase }) => phase === 'decode')).toBe(true);
    expect(operations.at(0)!.name).toBe('embed');
    expect(operations.at(-1)!.name).toBe('sample');
  });

  test('BLOOM reads all its matrices in a step and computes twice the parameters a token', () => {
    const operations = BLOOM_176B.operations(decode(1, 0), precision);
    expect(total(operations, 'weightBytes') / (2 * BLOOM_176B.parameters)).toBeCloseTo(1, 2);
    expect(total(operations, 'flops') / (2 * BLOOM_176B.parameters)).toBeCloseTo(1, 2);
  });

  test('DeepSeek-V2 reads the experts that its tokens go to', () => {
    expect(distinctExperts(160, 6, 1)).toBeCloseTo(6, 10);
    expect(distinctExperts(160, 6, 1e6)).toBeCloseTo(160, 10);
    const one = DEEPSEEK_V2.operations(decode(1, 0), precision);
    const embedding = 102_400 * 5120; // looked up, not read
    expect(total(one, 'weightBytes') / (2 * (DEEPSEEK_V2.activeParameters - embedding))).toBeCloseTo(1, 2);
    expect(total(one, 'flops') / (2 * (DEEPSEEK_V2.activeParameters - embedding))).toBeCloseTo(1, 1);
    const many = DEEPSEEK_V2.operations(decode(4096, 0), precision);
    expect(total(many, 'weightBytes') / (2 * (DEEPSEEK_V2.parameters - embedding))).toBeCloseTo(1, 1);
  });

  test('latent attention reads 576 numbers a token and layer, whatever the number of heads', () => {
    const operations = DEEPSEEK_V2.operations(decode(1, 999), precision);
    expect(total(operations, 'kvReadBytes')).toBe(1000 * 60 * 576 * 2);
  });
});
