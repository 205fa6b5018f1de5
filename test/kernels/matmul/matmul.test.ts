import { beforeAll, describe, expect, it } from 'vitest';
import type { Capabilities } from '../../../src/gpu/capabilities.js';
import type { Gpu } from '../../../src/gpu/gpu.js';
import { matmulVariants, type MatmulVariant } from '../../../src/kernels/matmul/kernel.js';
import { laneRows, type WeightLayout } from '../../../src/kernels/weights.js';
import { relativeError } from '../../reference/compare.js';
import { adapters, testGpu } from '../../support/adapters.js';
import { freeingAll } from '../../support/buffers.js';
import { chosen, isFull } from '../../support/scale.js';
import { matmulData, runMatmul, type MatmulData } from '../../support/matmul.js';
import { worstErrors } from '../../support/worst.js';
import { DTYPES, epiloguesOf, FEW_MATMUL_CASES, MATMUL_CASES, QUANTIZED, ROWS, rowsFor, runsUnder } from './cases.js';

/**
 * How a variant that is slow to compile computes does not depend on how weights are unpacked, nor on how rows lie: f16
 * weights try that in full. Quantised weights of both widths try it where the engine would run it.
 */
const runsSlow = (variant: MatmulVariant, { dtype, lanes }: WeightLayout, capabilities: Capabilities): boolean =>
  (isFull || !capabilities.isCpu) &&
  (dtype === 'f16' || (dtype.endsWith('-zp') && !isTree(variant) && lanes === laneRows(capabilities)));
const isTree = ({ phase, needs }: MatmulVariant): boolean => phase === 'decode' && !needs.includes('subgroups');
/**
 * Those on matrices compile for minutes, and have tests of their own: skinny.full and prefill. How a format is staged for
 * matrices is tried here, in the smallest tile that stages whole rows.
 */
const onMatrices = ({ units }: MatmulVariant): boolean => units === 'matrix';
const isSmallTile = ({ tile, sums, defines }: MatmulVariant): boolean =>
  tile?.m === 64 &&
  tile.n === 64 &&
  tile.k === 32 &&
  tile.stages === 1 &&
  sums === undefined &&
  tile.threads === 4 * Number(defines.LANES);

/** How weights are unpacked and what is done with a sum are independent pieces of a shader. */
const inDepth = (dtype: string, epilogue: string): boolean =>
  isFull ? dtype === 'f16' || epilogue === 'store' : dtype === 'f16' && epilogue === 'store';

const MOST_ROWS = Math.max(...ROWS);
const worst = worstErrors();

/** Floats, and quants with zero points. */
const QUICK: readonly string[] = ['f16', 'int4-g32-zp'];

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
      async (epilogue) => {
        // Both layouts at full length, whichever the adapter is given; how rows lie does not depend on how weights are unpacked.
        const own = laneRows(gpu.capabilities);
        const isBoth = isFull && (dtype === 'f16' || dtype.endsWith('-zp'));
        const layouts = [...new Set(isBoth ? [1, own] : [own])].map((lanes) => ({ dtype, lanes }));
        const runnable = layouts.flatMap((layout) => {
          const { decode, prefill } = matmulVariants(layout, gpu.capabilities);
          return [...decode, ...prefill]
            .filter((variant) => variant.runs(gpu.capabilities))
            .filter(
              (variant) =>
                isSmallTile(variant) ||
                (!onMatrices(variant) &&
                  (variant.compiles === undefined || runsSlow(variant, layout, gpu.capabilities))),
            )
            .map((variant) => ({ variant, lanes: layout.lanes }));
        });
        expect(runnable.length).toBeGreaterThan(0);
        await Promise.all(runnable.map(({ variant }) => gpu.pipelines.get(variant)));
        for (const { variant, lanes } of runnable) {
          const deep = inDepth(dtype, epilogue) && !onMatrices(variant);
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
                expect(error, what).toBeLessThan(variant.tolerance!);
                expect(result.touched, `${what}: words touched outside the result`).toBe(0);
              }
            });
          }
        }
      },
    );
  });
});
