import { beforeAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../../../src/gpu/gpu.js';
import { fillSynthetic, syntheticValue } from '../../../src/kernels/synthetic/kernel.js';
import { seedOf } from '../../../src/seed.js';
import { paddedRows } from '../../../src/kernels/weights.js';
import { relativeError } from '../../reference/compare.js';
import { adapters, testGpu } from '../../support/adapters.js';
import { freeingAll, POISON, readWords } from '../../support/buffers.js';
import { decode, rounded, storedIndex, weightMatrix } from '../../support/weights.js';
import { DTYPES } from '../matmul/cases.js';

/** One rounding of the amplitude's product, and one of the storage: 2^-24 and less, 2^-11, 2^-8 (cut off, not rounded). */
const TOLERANCE = { f32: 2e-7, f16: 2 ** -11, bf16: 2 ** -8 };

describe.each(adapters)('synthetic weights on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => void (gpu = await testGpu(adapter)));

  it.each(DTYPES)('are those of syntheticValue, in %s and in parts', async (dtype) => {
    await freeingAll(gpu, async () => {
      const [rows, cols, seed] = [105, 43, seedOf('model.layers.0.mlp.down_proj.weight')];
      const amplitude = Math.fround(Math.sqrt(3 / cols));
      const matrix = weightMatrix(gpu, new Float64Array(rows * cols), cols, dtype, 40);
      await fillSynthetic(gpu, matrix, seed, amplitude);
      const found: number[] = [];
      const expected: number[] = [];
      for (const part of matrix.parts) {
        const words = await readWords(gpu, part.buffer);
        const stored = dtype === 'f32' ? words : new Uint16Array(words.buffer);
        for (let i = 0; i < part.rows * matrix.stride; i++) {
          const [row, col] = [Math.floor(i / matrix.stride), i % matrix.stride];
          const at = storedIndex(matrix, row, col);
          found.push(decode(stored[at], dtype));
          expected.push(col < cols ? syntheticValue(seed, part.rowBegin + row, col, amplitude) : 0);
          if (col >= cols) expect(stored[at], `padding of row ${row}`).toBe(0);
        }
        const behind = words.subarray(
          (paddedRows(part.rows, matrix.lanes) * matrix.stride * (dtype === 'f32' ? 4 : 2)) / 4,
        );
        expect(
          behind.every((word) => word === POISON),
          'words behind the part',
        ).toBe(true);
      }
      expect(relativeError(found, expected)).toBeLessThan(TOLERANCE[dtype]);
    });
  });

  it('have mean 0, the variance of the amplitude, and differ from row to row and from seed to seed', () => {
    const values = Array.from({ length: 20_000 }, (_, i) => syntheticValue(7, Math.floor(i / 100), i % 100, 2));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + value ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.04); // 2 / sqrt(3 * 20000) is one standard deviation of the mean, 0.008
    expect(Math.abs(variance - 4 / 3)).toBeLessThan(0.05);
    expect(values.slice(0, 100)).not.toEqual(values.slice(100, 200));
    expect(syntheticValue(7, 0, 0, 2)).not.toBe(syntheticValue(8, 0, 0, 2));
    expect(rounded(Float64Array.of(syntheticValue(1, 2, 3, 1)), 'f16')[0]).toBe(syntheticValue(1, 2, 3, 1));
  });
});
