import { beforeAll, describe, expect, it } from 'vitest';
import type { Capabilities } from '../../src/gpu/capabilities.js';
import type { Gpu } from '../../src/gpu/gpu.js';
import { matmulVariants, type MatmulVariant } from '../../src/kernels/matmul.js';
import { laneRows, type WeightLayout } from '../../src/kernels/weights.js';
import { relativeError } from '../reference/compare.js';
import { adapters, testGpu } from '../support/adapters.js';
import { freeingAll } from '../support/buffers.js';
import { chosen, isFull } from '../support/scale.js';
import { matmulData, runMatmul, type MatmulData } from '../support/matmul.js';
import { worstErrors } from '../support/worst.js';
import {
  DTYPES,
  epiloguesOf,
  FEW_MATMUL_CASES,
  MATMUL_CASES,
  QUANTIZED,
  ROWS,
  rowsFor,
  runsUnder,
} from './cases/matmul.js';

/**
 * Weights are rounded to the stored type first, so that what is left is f32 arithmetic: sums of at most 704 products,
 * whose errors of 2^-24 add up like a random walk, and the few units of the last place of exp in SiLU.
 */
const TOLERANCE = 2e-6;

/**
 * x rounded to f16: each factor is off by up to 2^-11 of itself, 2^-11 / sqrt(3) = 2.8e-4 in the mean square, and so is
 * a sum of many products relative to its norm; a SiLU gate multiplies two such sums. Sums in f16 of up to 128 products
 * before they are promoted to f32 are off by about 1e-3.
 */
const ROUNDED_TOLERANCE = 1e-3;
const HALF_SUM_TOLERANCE = 2e-3;
const tolerance = ({ name, roundsActivations }: MatmulVariant): number =>
  !roundsActivations ? TOLERANCE : name.endsWith('-f16') ? HALF_SUM_TOLERANCE : ROUNDED_TOLERANCE;

/**
 * Some drivers need many seconds to compile these. How they compute does not depend on how weights are unpacked, nor on
 * how rows lie: f16 weights try that in full. Quantised weights of both widths try it where the engine would run it.
 */
const SLOW_TO_COMPILE = /^(vec[48]-tree|vec[248]x|tiled128)$/;
/**
 * Those on matrices compile for minutes, and have tests of their own: matmul-skinny.full and matmul-many. How a format is
 * staged for matrices is tried here, in the smallest tile that stages whole rows.
 */
const ON_MATRICES = /^(skinny|matrix)/;
const SMALL_MATRIX_TILE = /^matrix\d+x\d+x\d+-64x64$/;
const runsSlow = ({ name }: MatmulVariant, { dtype, lanes }: WeightLayout, capabilities: Capabilities): boolean =>
  (isFull || !capabilities.isCpu) &&
  (dtype === 'f16' || (dtype.endsWith('-zp') && !name.endsWith('-tree') && lanes === laneRows(capabilities)));

/** How weights are unpacked and what is done with a sum are independent pieces of a shader. */
const inDepth = (dtype: string, epilogue: string): boolean =>
  isFull ? dtype === 'f16' || epilogue === 'store' : dtype === 'f16' && epilogue === 'store';

const MOST_ROWS = Math.max(...ROWS);
const worst = worstErrors();

/** Each way of unpacking: both widths, with zero points. */
const QUICK: readonly string[] = ['f16', 'bf16', 'int8-g64-zp', 'int4-g32-zp'];

describe.each(chosen([...DTYPES, ...QUANTIZED], (dtype) => QUICK.includes(dtype)))('matmul of %s weights', (dtype) => {
  const data = new Map<object, MatmulData>();
  beforeAll(() => {
    for (const test of MATMUL_CASES) data.set(test, matmulData(test, MOST_ROWS, dtype));
  });

  describe.each(adapters)('on %s', (adapter) => {
    let gpu: Gpu;
    beforeAll(async () => void (gpu = await testGpu(adapter)));

    it.each(chosen(epiloguesOf(dtype), (epilogue) => dtype === 'f16' || epilogue === 'store'))(
      'matches float64, epilogue %s, every variant',
      { timeout: 480_000 },
      async (epilogue) => {
        // Both layouts, whichever the adapter is given; how rows lie does not depend on how weights are unpacked.
        const own = laneRows(gpu.capabilities);
        const layouts = [...new Set(isFull || dtype === 'f16' ? [1, own] : [own])].map((lanes) => ({ dtype, lanes }));
        const runnable = layouts.flatMap((layout) => {
          const { few, many } = matmulVariants(layout, gpu.capabilities);
          return [...few, ...many]
            .filter((variant) => variant.runs(gpu.capabilities))
            .filter(
              (variant) =>
                SMALL_MATRIX_TILE.test(variant.name) ||
                (!ON_MATRICES.test(variant.name) &&
                  (!SLOW_TO_COMPILE.test(variant.name) || runsSlow(variant, layout, gpu.capabilities))),
            )
            .map((variant) => ({ variant, lanes: layout.lanes }));
        });
        expect(runnable.length).toBeGreaterThan(0);
        await Promise.all(runnable.map(({ variant }) => gpu.pipelines.get(variant)));
        for (const { variant, lanes } of runnable) {
          const deep = inDepth(dtype, epilogue) && !ON_MATRICES.test(variant.name);
          for (const test of deep ? MATMUL_CASES : FEW_MATMUL_CASES) {
            if (!runsUnder(epilogue, test)) continue;
            await freeingAll(gpu, async () => {
              for (const result of await runMatmul(
                gpu,
                variant,
                epilogue,
                dtype,
                test,
                data.get(test)!,
                rowsFor(variant.rowsPerGroup),
                lanes,
              )) {
                const what = `${variant.name}, ${lanes} rows side by side, ${result.rows} rows, ${JSON.stringify(test)}`;
                const error = relativeError(result.out, result.expected);
                worst(`${adapter} matmul ${variant.name} ${dtype} ${epilogue}`, error);
                expect(error, what).toBeLessThan(tolerance(variant));
                expect(result.touched, `${what}: words touched outside the result`).toBe(0);
              }
            });
          }
        }
      },
    );
  });
});
