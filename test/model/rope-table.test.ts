import { describe, expect, it } from 'vitest';
import { ropeFrequencies, ropeTable } from '../../src/model/rope-table.js';
import { maxAbsError } from '../reference/compare.js';
import * as reference from '../reference/ops.js';
import { tinyConfig } from '../support/model.js';

const LLAMA3 = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
const CONFIGS = {
  plain: tinyConfig(),
  'head_dim 6': tinyConfig({ head_dim: 6 }),
  'theta 500000, head_dim 128': tinyConfig({ head_dim: 128, rope_theta: 500_000 }),
  linear: tinyConfig({ head_dim: 64, rope_scaling: { type: 'linear', factor: 4 } }),
  llama3: tinyConfig({
    ...{ head_dim: 128, rope_theta: 500_000 },
    rope_scaling: { ...LLAMA3, original_max_position_embeddings: 8192 },
  }),
  'llama3, factor 32, head_dim 64': tinyConfig({
    ...{ head_dim: 64, rope_theta: 500_000 },
    rope_scaling: { ...LLAMA3, factor: 32, original_max_position_embeddings: 8192 },
  }),
};

describe.each(Object.entries(CONFIGS))('rope table, %s', (_, config) => {
  it('has the frequencies of the reference', () => {
    const frequencies = ropeFrequencies(config);
    const expected = reference.ropeFrequencies(config);
    expect(frequencies).toHaveLength(config.headDim / 2);
    frequencies.forEach((frequency, i) => expect(frequency / expected[i]).toBeCloseTo(1, 13));
  });

  it('holds cosine and sine of every position, rounded to f32 only', () => {
    const half = config.headDim / 2;
    const table = ropeTable(config, 5000);
    const frequencies = reference.ropeFrequencies(config);
    expect(table).toHaveLength(5000 * half * 2);
    for (const position of [0, 1, 17, 4095, 4999]) {
      const row = table.subarray(position * half * 2, (position + 1) * half * 2);
      const expected = [...frequencies].flatMap((f) => [Math.cos(position * f), Math.sin(position * f)]);
      expect(maxAbsError(row, expected), `position ${position}`).toBeLessThan(2 ** -24);
    }
  });
});

describe('llama3 scaling', () => {
  it('keeps the shortest wave, divides the longest by the factor, and blends some between', () => {
    const scaled = ropeFrequencies(CONFIGS.llama3);
    const plain = ropeFrequencies(CONFIGS['theta 500000, head_dim 128']);
    const ratio = Array.from(scaled, (frequency, i) => plain[i] / frequency);
    expect(ratio[0]).toBe(1);
    expect(ratio.at(-1)).toBeCloseTo(8, 12);
    expect(ratio.filter((value) => value > 1.001 && value < 7.999).length).toBeGreaterThan(2);
    for (let i = 1; i < ratio.length; i++) expect(ratio[i]).toBeGreaterThanOrEqual(ratio[i - 1] - 1e-12);
  });
});
