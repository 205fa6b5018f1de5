import { beforeAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../../../src/gpu/gpu.js';
import { MatmulKernel } from '../../../src/kernels/matmul/kernel.js';
import { paddedColumns } from '../../../src/kernels/weights.js';
import { relativeError } from '../../reference/compare.js';
import { adapters, testGpu } from '../../support/adapters.js';
import { freeingAll, poisoned, readFloats, storageOf, strided, submit, unstrided } from '../../support/buffers.js';
import { matmulData } from '../../support/matmul.js';
import { stepUniform } from '../../support/step.js';
import { weightMatrix } from '../../support/weights.js';

const CASE = { n: 105, k: 64, partRows: 40 };
const ROWS = [1, 2, 3, 8, 20];
const DATA = matmulData(CASE, 20, 'f16');

describe.each(adapters)('MatmulKernel on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => void (gpu = await testGpu(adapter)));

  const make = async (rows: number, maxDecodeRows: number, prefill: boolean, logits = false, decodeRows = rows) => {
    const out = poisoned(gpu, 'out', rows * paddedColumns(CASE.n));
    const kernel = await MatmulKernel.create(gpu, {
      ...{ operation: 'matmul', epilogue: 'store', out, maxDecodeRows, prefill },
      weights: weightMatrix(gpu, DATA.w, CASE.k, 'f16', CASE.partRows),
      step: stepUniform(gpu, logits ? { tokens: 99, logitRows: rows } : { tokens: rows, decodeRows, logitRows: 99 }),
      x: storageOf(gpu, 'x', strided(DATA.x.subarray(0, rows * CASE.k), CASE.k, paddedColumns(CASE.k))),
      xStride: paddedColumns(CASE.k),
      outStride: paddedColumns(CASE.n),
      rows: logits ? 'logits' : 'tokens',
    });
    return { kernel, out };
  };

  it('is right for any number of rows of either phase, before and after its wider kernels are there', async () => {
    for (const rows of ROWS) {
      for (const decodeRows of new Set([0, 1, Math.floor(rows / 2), rows])) {
        await freeingAll(gpu, async () => {
          const logits = decodeRows === rows && rows % 2 === 0;
          const { kernel, out } = await make(rows, 8, true, logits, decodeRows);
          const tolerance = kernel.choose(rows, 'prefill').tolerance!;
          for (const settled of [false, true]) {
            if (settled) await kernel.ready;
            submit(gpu, (pass) => kernel.record(pass, decodeRows, rows - decodeRows));
            const found = unstrided(await readFloats(gpu, out), rows, CASE.n, paddedColumns(CASE.n));
            const error = relativeError(found, DATA.expected.store.subarray(0, rows * CASE.n));
            expect(error, `${rows} rows, ${decodeRows} decoding, settled ${settled}`).toBeLessThan(tolerance);
          }
        });
      }
    }
  });

  it('makes the same bits of a row whichever rows are beside it', async () => {
    await freeingAll(gpu, async () => {
      const stride = paddedColumns(CASE.n);
      const row = async (rows: number, decodeRows: number, which: number): Promise<Float32Array> => {
        const { kernel, out } = await make(rows, 8, true, false, decodeRows);
        await kernel.ready;
        submit(gpu, (pass) => kernel.record(pass, decodeRows, rows - decodeRows));
        return (await readFloats(gpu, out)).slice(which * stride, which * stride + CASE.n);
      };
      for (const which of [0, 2, 7]) {
        const decoded = await row(8, 8, which);
        const prompted = await row(20, 0, which);
        for (const rows of [1, 2, 3, 5, 8, 20].filter((count) => count > which)) {
          expect(await row(rows, rows, which), `decode row ${which} of ${rows}`).toEqual(decoded);
          expect(await row(rows, which + 1, which), `decode row ${which}, prompts behind it`).toEqual(decoded);
          expect(await row(rows, which, which), `prompt row ${which} of ${rows}`).toEqual(prompted);
        }
      }
    });
  });

  it('chooses by the phase, and in decode the narrowest kernel that takes all rows at once', async () => {
    await freeingAll(gpu, async () => {
      const { kernel } = await make(1, 8, true);
      await kernel.ready;
      const decode = [1, 2, 3, 4, 5, 8, 20].map((rows) => kernel.choose(rows, 'decode').rowsPerGroup);
      expect(decode).toEqual([1, 2, 4, 4, 8, 8, 8]);
      const prefill = new Set([1, 2, 20, 500].map((rows) => kernel.choose(rows, 'prefill').name));
      expect(prefill.size).toBe(1);
    });
  });

  it('makes do with kernels for few rows where there is no prefill', async () => {
    await freeingAll(gpu, async () => {
      const { kernel, out } = await make(3, 1, false);
      await kernel.ready;
      expect(kernel.choose(3, 'decode').rowsPerGroup).toBe(1);
      expect(() => submit(gpu, (pass) => kernel.record(pass, 0, 3))).toThrow('no kernel for prompts');
      expect((await readFloats(gpu, out)).every(Number.isNaN)).toBe(true);
    });
  });

  it('records nothing for no rows', async () => {
    await freeingAll(gpu, async () => {
      const { kernel, out } = await make(1, 1, true);
      submit(gpu, (pass) => kernel.record(pass, 0, 0));
      expect((await readFloats(gpu, out)).every(Number.isNaN)).toBe(true);
    });
  });
});
