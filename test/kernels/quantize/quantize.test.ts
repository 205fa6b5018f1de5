import { beforeAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../../../src/gpu/gpu.js';
import { QuantizeKernel, quantizeVariants } from '../../../src/kernels/quantize/kernel.js';
import { paddedColumns } from '../../../src/kernels/weights.js';
import { activationWords, dequantizeActivations, quantizeActivations } from '../../../src/quantization/activations.js';
import { quantFormat, type QuantizedDtype } from '../../../src/quantization/formats.js';
import { random } from '../../reference/compare.js';
import * as reference from '../../reference/ops.js';
import { adapters, testGpu } from '../../support/adapters.js';
import { freeingAll, POISON, poisoned, readWords, storageOf, strided, submit } from '../../support/buffers.js';
import { stepUniform } from '../../support/step.js';
import { rounded } from '../../support/weights.js';

const EPS = 1e-5;
const CASES = [
  { width: 8, rows: 1 },
  { width: 105, rows: 5, decodeRows: 2 },
  { width: 172, rows: 3 },
  { width: 1030, rows: 2 },
] as const;

function rowsOf(width: number, rows: number): Float64Array {
  const rng = random(width);
  const x = rng.normal(rows * width, 3);
  // One row is tiny and one of numbers that their quants give back exactly, halves of a step among them.
  if (rows > 1) for (let i = 0; i < width; i++) x[width + i] *= 1e-20;
  if (rows > 2) for (let i = 0; i < width; i++) x[2 * width + i] = i === 0 ? 254 : (i % 255) - 127;
  return rounded(x, 'f32');
}

describe.each(['int8-g32', 'int8-g64-zp', 'int8-g128-zp'] as QuantizedDtype[])('rows for %s weights', (dtype) => {
  const format = quantFormat(dtype);

  describe.each(adapters)('on %s', (adapter) => {
    let gpu: Gpu;
    beforeAll(async () => void (gpu = await testGpu(adapter)));

    const run = async (x: Float64Array, width: number, decodeRows: number, gamma?: Float64Array, name?: string) => {
      const stride = paddedColumns(width);
      const rows = x.length / width;
      const words = activationWords(stride, format);
      const out = poisoned(gpu, 'out', (rows + 1) * words);
      const variants = quantizeVariants(gpu.capabilities, format, gamma !== undefined);
      const kernel = await QuantizeKernel.create(gpu, {
        ...{ operation: 'quantise', width, stride, out, weights: format },
        step: stepUniform(gpu, { tokens: rows, decodeRows }),
        x: storageOf(gpu, 'x', strided(x, width, stride)),
        norm: gamma && { gamma: storageOf(gpu, 'gamma', strided(gamma, width, stride)), eps: EPS },
        variant: name === undefined ? undefined : variants.find((variant) => variant.name === name),
      });
      submit(gpu, (pass) => kernel.record(pass, rows - decodeRows));
      return readWords(gpu, out);
    };

    it.each(CASES)('are quantised as on the host: %o', async ({ width, rows, ...rest }) => {
      const decodeRows = 'decodeRows' in rest ? rest.decodeRows : 0;
      await freeingAll(gpu, async () => {
        const x = rowsOf(width, rows);
        const stride = paddedColumns(width);
        const found = await run(x, width, decodeRows);
        const expected = quantizeActivations(strided(x, width, stride), rows, stride, format);
        const words = activationWords(stride, format);
        // Padding is as it was before.
        const used = 4 + stride / 4 + (format.symmetric ? 0 : Math.ceil(stride / format.group));
        for (let i = 0; i < found.length; i++) {
          const [row, at] = [Math.floor(i / words), i % words];
          const untouched = row < decodeRows || row >= rows || (at > 0 && at < 4) || at >= used;
          expect(found[i], `row ${row}, word ${at}`).toBe(untouched ? POISON : expected[i]);
        }
      });
    });

    it('are zeros for zeros, and not a number for NaN and infinities', async () => {
      await freeingAll(gpu, async () => {
        const width = 40;
        const x = new Float64Array(5 * width).fill(1);
        x.fill(0, 0, width);
        x[width + 7] = NaN;
        x[2 * width + 39] = Infinity;
        x[3 * width] = -Infinity;
        const words = activationWords(64, format);
        const found = await run(x, width, 0);
        const scales = [0, 1, 2, 3, 4].map((row) => new Float32Array(found.buffer)[row * words]);
        expect(scales).toEqual([0, NaN, NaN, NaN, Math.fround(Math.fround(1 / 127))]);
        expect([...found.subarray(4, 4 + 16)]).toEqual(Array(16).fill(0));
      });
    });

    // Where the sums lie does not depend on the norm.
    it.runIf(dtype === 'int8-g64-zp')('are normalised on the way, every variant', async () => {
      const [width, rows, decodeRows] = [1030, 4, 1];
      const rng = random(3);
      const x = rounded(rng.normal(rows * width, 2), 'f32');
      const gamma = rounded(rng.uniform(width, 0.5, 1.5), 'f32');
      const normed = reference.rmsNorm(x, gamma, EPS);
      const stride = paddedColumns(width);
      const words = activationWords(stride, format);
      for (const variant of quantizeVariants(gpu.capabilities, format, true)) {
        if (!variant.runs(gpu.capabilities)) continue;
        const { name } = variant;
        await freeingAll(gpu, async () => {
          const found = (await run(x, width, decodeRows, gamma, name)).subarray(0, rows * words);
          const scales = new Float32Array(found.buffer);
          const back = dequantizeActivations(found, rows, stride, format);
          for (let row = decodeRows; row < rows; row++) {
            for (let i = 0; i < width; i++) {
              const off = Math.abs(back[row * stride + i] - normed[row * width + i]);
              expect(off, `${name}, ${row}, ${i}`).toBeLessThan(0.5001 * scales[row * words]);
            }
          }
        });
      }
    });
  });
});
