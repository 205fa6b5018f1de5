import { beforeAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../../src/gpu/gpu.js';
import { MatmulKernel } from '../../src/kernels/matmul.js';
import { paddedColumns } from '../../src/kernels/weights.js';
import { relativeError } from '../reference/compare.js';
import { adapters, testGpu } from '../support/adapters.js';
import { freeingAll, poisoned, readFloats, storageOf, strided, submit, unstrided } from '../support/buffers.js';
import { matmulData } from '../support/matmul.js';
import { stepUniform } from '../support/step.js';
import { weightMatrix } from '../support/weights.js';

const CASE = { n: 105, k: 64, partRows: 40 };
const ROWS = [1, 2, 3, 8, 20];
const DATA = matmulData(CASE, 20, 'f16');

describe.each(adapters)('MatmulKernel on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => void (gpu = await testGpu(adapter)));

  const make = async (rows: number, maxDecodeRows: number, prefill: boolean, logits = false) => {
    const out = poisoned(gpu, 'out', rows * paddedColumns(CASE.n));
    const kernel = await MatmulKernel.create(gpu, {
      ...{ operation: 'matmul', epilogue: 'store', out, maxDecodeRows, prefill },
      weights: weightMatrix(gpu, DATA.w, CASE.k, 'f16', CASE.partRows),
      step: stepUniform(gpu, logits ? { tokens: 99, logitRows: rows } : { tokens: rows, logitRows: 99 }),
      x: storageOf(gpu, 'x', strided(DATA.x.subarray(0, rows * CASE.k), CASE.k, paddedColumns(CASE.k))),
      xStride: paddedColumns(CASE.k),
      outStride: paddedColumns(CASE.n),
      rows: logits ? 'logits' : 'tokens',
    });
    return { kernel, out };
  };

  it('is right for any number of rows of either phase, before and after its wider kernels are there', async () => {
    for (const decode of [true, false]) {
      for (const rows of ROWS) {
        await freeingAll(gpu, async () => {
          const { kernel, out } = await make(rows, 8, true, rows % 2 === 0);
          for (const settled of [false, true]) {
            if (settled) await kernel.ready;
            submit(gpu, (pass) => kernel.record(pass, rows, decode));
            const found = unstrided(await readFloats(gpu, out), rows, CASE.n, paddedColumns(CASE.n));
            const error = relativeError(found, DATA.expected.store.subarray(0, rows * CASE.n));
            expect(error, `${rows} rows, decode ${decode}, settled ${settled}`).toBeLessThan(1e-6);
          }
        });
      }
    }
  });

  it('chooses by the phase, and in decode the narrowest kernel that takes all rows at once', async () => {
    await freeingAll(gpu, async () => {
      const { kernel } = await make(1, 8, true);
      await kernel.ready;
      const decode = [1, 2, 3, 4, 5, 8, 20].map((rows) => kernel.choose(rows, 'decode').rowsPerGroup);
      expect(decode).toEqual(gpu.capabilities.isCpu ? [1, 2, 4, 4, 4, 4, 4] : [1, 2, 4, 4, 8, 8, 8]);
      const prefill = new Set([1, 2, 20, 500].map((rows) => kernel.choose(rows, 'prefill').name));
      expect(prefill.size).toBe(1);
    });
  });

  it('makes do with kernels for few rows where there is no prefill', async () => {
    await freeingAll(gpu, async () => {
      const { kernel } = await make(3, 1, false);
      await kernel.ready;
      expect(kernel.choose(3, 'prefill').rowsPerGroup).toBe(1);
    });
  });

  it('records nothing for no rows', async () => {
    await freeingAll(gpu, async () => {
      const { kernel, out } = await make(1, 1, true);
      submit(gpu, (pass) => kernel.record(pass, 0, true));
      expect((await readFloats(gpu, out)).every(Number.isNaN)).toBe(true);
    });
  });
});
