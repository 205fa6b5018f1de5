import { beforeAll, describe, expect, it } from 'vitest';
import type { Capabilities } from '../../../src/gpu/capabilities.js';
import type { Gpu } from '../../../src/gpu/gpu.js';
import { matmulVariants, MatmulKernel, type MatmulVariant } from '../../../src/kernels/matmul/kernel.js';
import { laneRows, paddedColumns, type StoredDtype } from '../../../src/kernels/weights.js';
import { relativeError } from '../../reference/compare.js';
import * as reference from '../../reference/ops.js';
import { adapters, testGpu } from '../../support/adapters.js';
import {
  freeingAll,
  poisoned,
  readFloats,
  storageOf,
  strided,
  submit,
  touchedOutside,
  unstrided,
} from '../../support/buffers.js';
import { checkFiledHeads, checkWantedRows, EPS, fusedData, type FiledCase } from '../../support/matmul-fused.js';
import { chosen, isFull } from '../../support/scale.js';
import { stepUniform } from '../../support/step.js';
import { weightMatrix } from '../../support/weights.js';
import { worstErrors } from '../../support/worst.js';

/** As of a product, and a root more. */
const TOLERANCE = 2e-6;
const ROWS = chosen([1, 2, 3, 5, 9], (rows) => rows % 2 === 1 && rows !== 5);
const worst = worstErrors();

/** What is fused depends on quants nowhere but in how x is read, so a few variants try them: one of each kind. */
const triesQuants = ({ order, rowsPerGroup }: MatmulVariant, lanes: number, { subgroups }: Capabilities): boolean =>
  order === (lanes > 1 ? 'lanes' : subgroups ? 'vec' : 'tree64') && (rowsPerGroup === 1 || rowsPerGroup === 4);
const DTYPES: readonly StoredDtype[] = chosen(['f16', 'int8-g32', 'int4-g64-zp'], (dtype) => dtype === 'f16');
const cases = adapters.flatMap((adapter) => DTYPES.map((dtype) => ({ adapter, dtype })));

describe.each(cases)('products of $dtype that normalise their input on $adapter', ({ adapter, dtype }) => {
  let gpu: Gpu;
  beforeAll(async () => void (gpu = await testGpu(adapter)));

  /** Both layouts at full length, whichever the adapter is given. */
  const variants = (): { variant: MatmulVariant; lanes: number }[] =>
    [...new Set([...(isFull ? [1] : []), laneRows(gpu.capabilities)])].flatMap((lanes) =>
      matmulVariants({ dtype, lanes }, gpu.capabilities)
        .decode.filter((variant) => variant.runs(gpu.capabilities))
        // Wide trees take a CPU driver half a minute to compile, and differ from narrow ones in a loop's length only.
        .filter(({ needs, rowsPerGroup }) => needs.includes('subgroups') || rowsPerGroup <= 2)
        // Those on matrices compile for minutes there, and are tested in matmul-skinny.full.test.ts.
        .filter(({ units }) => units !== 'matrix')
        .filter((variant) => dtype === 'f16' || triesQuants(variant, lanes, gpu.capabilities))
        .map((variant) => ({ variant, lanes })),
    );
  const prefill = (lanes: number): string =>
    matmulVariants({ dtype, lanes }, gpu.capabilities).prefill.find((each) => each.runs(gpu.capabilities))!.name;

  const subject = ({ name }: MatmulVariant, lanes: number) => ({
    name,
    lanes,
    prefill: prefill(lanes),
    tolerance: TOLERANCE,
  });

  const widths: readonly { n: number; k: number; partRows?: number }[] = [
    { n: 6, k: 8 },
    { n: 130, k: 105 },
    { n: 172, k: 704, partRows: 62 },
  ];
  it.each(chosen(widths, ({ n }) => n === 130))(
    'and gate their output match float64, %j',
    async ({ n, k, partRows }) => {
      const { x, gamma, w, normed, product } = fusedData(ROWS.at(-1)!, n, k, dtype);
      const half = (phase: number): Float64Array => product.filter((_, i) => (i % n) % 2 === phase);
      const expected = reference.siluGate(half(0), half(1));
      const [width, stride, outStride] = [n / 2, paddedColumns(k), paddedColumns(n / 2) + 32];
      expect(variants().length).toBeGreaterThan(0);
      for (const { variant, lanes } of variants()) {
        for (const rows of ROWS) {
          // The last two rows, where there are as many, are a prompt's: normalised already, by kernels for many rows.
          const decode = rows > 2 ? rows - 2 : rows;
          await freeingAll(gpu, async () => {
            const out = poisoned(gpu, 'out', (rows + 1) * outStride);
            const kernel = await MatmulKernel.create(gpu, {
              ...{ operation: 'fused', epilogue: 'silu', rows: 'tokens', maxDecodeRows: 1, prefill: true },
              weights: weightMatrix(gpu, w, k, dtype, partRows, lanes),
              step: stepUniform(gpu, { tokens: rows, decodeRows: decode }),
              x: storageOf(gpu, 'normed', strided(normed, k, stride)),
              xStride: stride,
              ...{ out, outStride },
              fusion: {
                norm: {
                  x: storageOf(gpu, 'x', strided(x, k, stride)),
                  gamma: storageOf(gpu, 'gamma', strided(gamma, k, stride)),
                  eps: EPS,
                },
              },
              choice: { decode: [{ rows: 1, variant: variant.name }], prefill: [{ rows: 1, variant: prefill(lanes) }] },
            });
            submit(gpu, (pass) => kernel.record(pass, decode, rows - decode));
            const words = await readFloats(gpu, out);
            const what = `${variant.name}, ${lanes} rows side by side, ${rows} rows`;
            const error = relativeError(unstrided(words, rows, width, outStride), expected.subarray(0, rows * width));
            worst(`${adapter} ${variant.name}+norm ${dtype}`, error);
            expect(error, what).toBeLessThan(TOLERANCE);
            expect(touchedOutside(new Uint32Array(words.buffer), rows, width, outStride), what).toBe(0);
          });
        }
      }
    },
  );

  it('and take the rows whose logits are wanted match float64', async () => {
    // Where a row is read from depends on nothing else: the narrow ones, which compile quickly.
    const tried = variants().filter(({ variant: { rowsPerGroup } }) => rowsPerGroup <= (dtype === 'f16' ? 2 : 1));
    expect(tried.length).toBeGreaterThan(0);
    for (const { variant, lanes } of tried) {
      const error = await checkWantedRows(gpu, subject(variant, lanes), dtype);
      worst(`${adapter} ${variant.name}+norm+wanted ${dtype}`, error);
    }
  });

  const shapes: FiledCase[] = [
    { shape: { heads: 2, kvHeads: 1, headDim: 80 }, k: 105, kv: 'f32' },
    { shape: { heads: 6, kvHeads: 3, headDim: 6 }, k: 36, kv: 'f16' },
    { shape: { heads: 4, kvHeads: 2, headDim: 64 }, k: 256, kv: 'f16', partRows: 128 },
  ];
  it.each(chosen(shapes, ({ shape }) => shape.headDim === 6).slice(dtype === 'f16' ? 0 : -1))(
    'and file queries, keys and values match float64, %j',
    async (test) => {
      const { headDim } = test.shape;
      // The widest take long to compile, and how many rows they make does not depend on the heads.
      const tried = variants().filter(({ variant: { rowsPerGroup } }) =>
        dtype === 'f16' ? headDim === 64 || rowsPerGroup === 2 : rowsPerGroup === 1,
      );
      expect(tried.length).toBeGreaterThan(0);
      for (const { variant, lanes } of tried) {
        const error = await checkFiledHeads(gpu, subject(variant, lanes), dtype, test);
        worst(`${adapter} ${variant.name}+norm+rope ${dtype}`, error);
      }
    },
  );
});
