import { beforeAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../../../src/gpu/gpu.js';
import { fillSynthetic, syntheticValue } from '../../../src/kernels/synthetic/kernel.js';
import { seedOf } from '../../../src/seed.js';
import {
  allocateMatrix,
  laneRows,
  paddedRows,
  rowBytes,
  scalesBegin,
  unitBytes,
} from '../../../src/kernels/weights.js';
import { middleOf, quantFormat, quantRange, scaleWords } from '../../../src/quantization/formats.js';
import { dequantizeRows, quantizedRows } from '../../../src/quantization/quantize.js';
import { adapters, testGpu } from '../../support/adapters.js';
import { freeingAll } from '../../support/buffers.js';
import { QUANTIZED } from '../matmul/cases.js';

describe.each(adapters)('synthetic quantised weights on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => void (gpu = await testGpu(adapter)));

  it.each(QUANTIZED)('are those of syntheticValue within half a step, in %s and both layouts', async (dtype) => {
    const [rows, cols, seed, amplitude] = [21, 172, seedOf('weights'), 0.5];
    const format = quantFormat(dtype);
    // The stored scale is f16's nearest to amplitude over the most steps.
    const step = amplitude / (quantRange(format).most - middleOf(format));
    for (const lanes of [1, laneRows(gpu.capabilities)]) {
      await freeingAll(gpu, async () => {
        const matrix = allocateMatrix(gpu, 'weights', { rows, cols }, { dtype, lanes });
        await fillSynthetic(gpu, matrix, seed, amplitude);
        const { stride } = matrix;
        const stored = new Uint8Array(await gpu.read(matrix.parts[0].buffer));
        expect(stored.length - 16).toBeLessThan(paddedRows(rows, lanes) * rowBytes(stride, dtype));
        const made = quantizedRows(rows, stride, format);
        const unit = unitBytes(dtype);
        const units = made.quants.length / rows / unit;
        const words = scaleWords(stride, format);
        const begin = scalesBegin(rows, stride, matrix);
        const scales = new Uint8Array(made.scales.buffer);
        for (let row = 0; row < rows; row++) {
          const [block, lane] = [Math.floor(row / lanes), row % lanes];
          for (let u = 0; u < units; u++) {
            const at = ((block * units + u) * lanes + lane) * unit;
            made.quants.set(stored.subarray(at, at + unit), (row * units + u) * unit);
          }
          for (let word = 0; word < words; word++) {
            const at = begin + 4 * ((block * words + word) * lanes + lane);
            scales.set(stored.subarray(at, at + 4), 4 * (row * words + word));
          }
        }
        dequantizeRows(made, rows, stride, format).forEach((value, i) => {
          const [row, col] = [Math.floor(i / stride), i % stride];
          if (col >= cols) expect(value).toBe(0);
          else expect(Math.abs(value - syntheticValue(seed, row, col, amplitude))).toBeLessThan(0.51 * step);
        });
      });
    }
  });
});
