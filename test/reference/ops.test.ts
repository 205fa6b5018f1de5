import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/model/config.js';
import { maxAbsError, random } from './compare.js';
import * as ops from './ops.js';

const f64 = (...values: number[]): Float64Array => Float64Array.from(values);
/** Equal but for a few units of 2^-53. */
const same = (out: Float64Array, expected: ArrayLike<number>): void =>
  expect(maxAbsError(out, expected), `${[...out].join(' ')}`).toBeLessThan(1e-13);

describe('operations on cases worked out by hand', () => {
  it('matmul reads weights as [out, in]', () => {
    same(ops.matmul(f64(1, 2, 3, 4, 5, 6), f64(1, 0, 0, 1, 1, 1), 2, 2, 3), [1, 6, 4, 15]);
    expect(() => ops.matmul(f64(1, 2), f64(1, 2, 3), 1, 1, 2)).toThrow('expected [1, 2] and [1, 2]');
  });

  it('rmsNorm scales each row on its own', () => {
    const row = [1 / Math.sqrt(5), (2 * 3) / Math.sqrt(5)];
    same(ops.rmsNorm(f64(1, 3, -10, -30), f64(1, 2), 0), [row[0], row[1], -row[0], -row[1]]);
    same(ops.rmsNorm(f64(0, 0), f64(1, 1), 1e-5), [0, 0]);
    same(ops.rmsNorm(f64(1, 1), f64(1, 1), 3), [0.5, 0.5]);
  });

  it('siluGate', () => same(ops.siluGate(f64(0, Math.log(3)), f64(5, 4)), [0, 3 * Math.log(3)]));

  it('softmax and logSoftmax stand large and infinite logits', () => {
    same(ops.softmax(f64(1000, 1000 + Math.log(3), -Infinity)), [0.25, 0.75, 0]);
    same(ops.logSoftmax(f64(-2000, -2000)), [-Math.log(2), -Math.log(2)]);
  });

  it('rope turns element i with element i + headDim / 2', () => {
    const quarter = f64(Math.PI / 2, Math.PI);
    const x = f64(1, 2, 3, 4);
    same(ops.rope(x, [0], quarter), x);
    same(ops.rope(x, [1], quarter), [-3, -2, 1, -4]);
    // two rows of two heads: both heads of the second row turn, and only they
    same(ops.rope(f64(...x, ...x, ...x, ...x), [0, 1], quarter), [...x, ...x, -3, -2, 1, -4, -3, -2, 1, -4]);
  });

  it('attention of one key returns its value; equal scores average; later keys are not seen', () => {
    const shape = { heads: 2, kvHeads: 1, headDim: 2 };
    const k = f64(0, 0, 0, 0, 9, 9);
    const v = f64(1, 2, 3, 6, 100, 100);
    same(ops.attention(f64(1, 1, 5, 5), k, v, [0], shape), [1, 2, 1, 2]);
    same(ops.attention(f64(1, 1, 5, 5), k, v, [1], shape), [2, 4, 2, 4]);
    expect(() => ops.attention(f64(1, 1, 5, 5), k, v, [3], shape)).toThrow('position 3 has no key');
  });

  it('attention scales by 1 / sqrt(headDim) and groups query heads over KV heads', () => {
    const shape = { heads: 4, kvHeads: 2, headDim: 1 };
    const out = ops.attention(f64(0, 0, 0, 0), f64(1, 1), f64(7, 8), [0], shape);
    same(out, [7, 7, 8, 8]);
    const log3 = Math.log(3);
    const scaled = ops.attention(f64(1, 1, 1, 1), f64(0, 0, 0, 0, log3, log3, 0, 0), f64(0, 0, 0, 0, 1, 2, 3, 4), [1], {
      heads: 1,
      kvHeads: 1,
      headDim: 4,
    }); // score 2 log 3 / sqrt(4), so weights 1/4 and 3/4
    same(scaled, [0.75, 1.5, 2.25, 3]);
  });
});

describe('rope frequencies', () => {
  const sizes = {
    hidden_size: 32,
    intermediate_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 4,
    vocab_size: 8,
    max_position_embeddings: 64,
    rope_theta: 10000,
  };

  it('plain and linear', () => {
    same(ops.ropeFrequencies(parseConfig(sizes)), [1, 0.1, 0.01, 0.001]);
    const linear = { ...sizes, rope_scaling: { type: 'linear', factor: 4 } };
    same(ops.ropeFrequencies(parseConfig(linear)), [0.25, 0.025, 0.0025, 0.00025]);
  });

  it('llama3 keeps short waves, divides long ones, and blends between', () => {
    const scaling = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
    const config = { ...sizes, rope_scaling: { ...scaling, original_max_position_embeddings: 128 } };
    // wavelengths 2 pi, 20 pi, 200 pi, 2000 pi; thresholds 32 and 128
    const smooth = (128 / (20 * Math.PI) - 1) / 3;
    same(ops.ropeFrequencies(parseConfig(config)), [1, (0.1 * (1 - smooth)) / 8 + 0.1 * smooth, 0.00125, 0.000125]);
  });
});

describe('sampling references', () => {
  it('penalises each kind of token as its field does', () => {
    const out = ops.applyPenalties(f64(2, -2, 4, 1, 0), {
      promptIds: [0, 1, 1],
      generatedIds: [2, 2, 1],
      repetition: 2,
      presence: 0.5,
      frequency: 0.25,
      logitBias: { 3: -7, 1: 1 },
    });
    same(out, [1, -4 - 0.5 - 0.25 + 1, 2 - 0.5 - 2 * 0.25, -6, 0]);
  });

  const logs = (...p: number[]): Float64Array => Float64Array.from(p, Math.log);
  const kept = (x: Float64Array, truncation: ops.Truncation): number[] =>
    [...ops.keptSet(x, truncation)].sort((a, b) => a - b);

  it('keeps everything by default, and the lowest best id at temperature 0', () => {
    expect(kept(logs(0.1, 0.4, 0.4, 0.1), {})).toEqual([0, 1, 2, 3]);
    expect(kept(logs(0.1, 0.4, 0.4, 0.1), { temperature: 0 })).toEqual([1]);
    expect(kept(f64(1, -Infinity, 0), {})).toEqual([0, 2]);
  });

  it('top-k keeps ties with the k-th', () => {
    expect(kept(logs(0.1, 0.2, 0.5, 0.2), { topK: 1 })).toEqual([2]);
    expect(kept(logs(0.1, 0.2, 0.5, 0.2), { topK: 2 })).toEqual([1, 2, 3]);
    expect(kept(logs(0.1, 0.2, 0.5, 0.2), { topK: 9 })).toEqual([0, 1, 2, 3]);
  });

  it('top-p keeps the smallest set that reaches p, and ties with its last', () => {
    expect(kept(logs(0.5, 0.3, 0.2), { topP: 0.45 })).toEqual([0]);
    expect(kept(logs(0.5, 0.3, 0.2), { topP: 0.75 })).toEqual([0, 1]);
    expect(kept(logs(0.5, 0.3, 0.2), { topP: 0.9 })).toEqual([0, 1, 2]);
    expect(kept(logs(0.4, 0.25, 0.25, 0.1), { topP: 0.6 })).toEqual([0, 1, 2]);
    expect(kept(logs(0.5, 0.3, 0.2), { topP: 1e-9 })).toEqual([0]);
  });

  it('top-p counts the mass that top-k left', () => {
    // of the two left, the best has 0.4 / 0.7 = 0.571
    expect(kept(logs(0.4, 0.3, 0.3 - 1e-9), { topK: 2, topP: 0.55 })).toEqual([0]);
    expect(kept(logs(0.4, 0.3, 0.3 - 1e-9), { topP: 0.55 })).toEqual([0, 1]);
  });

  it('min-p is relative to the best, after temperature', () => {
    expect(kept(logs(0.6, 0.25, 0.15), { minP: 0.3 })).toEqual([0, 1]);
    expect(kept(logs(0.6, 0.25, 0.15), { minP: 0.3, temperature: 2 })).toEqual([0, 1, 2]);
  });

  it('keptProbabilities renormalises over the kept ids', () => {
    same(ops.keptProbabilities(logs(0.6, 0.2, 0.2), { topK: 1 }), [1, 0, 0]);
    same(ops.keptProbabilities(logs(0.6, 0.2, 0.1, 0.1), { minP: 0.3 }), [0.75, 0.25, 0, 0]);
    const logits = random(3).normal(50, 3);
    same(ops.keptProbabilities(logits, { temperature: 0.7 }), ops.softmax(logits.map((x) => x / 0.7)));
    expect(ops.keptProbabilities(f64(0, 3, 3), { temperature: 0 })).toEqual(f64(0, 1, 0));
  });
});
