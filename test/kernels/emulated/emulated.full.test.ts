import { beforeAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../../../src/gpu/gpu.js';
import type { HeadShape } from '../../../src/kernels/attention/shape.js';
import { matrixVariants } from '../../../src/kernels/matmul/matrix.js';
import { dot8MatrixVariants } from '../../../src/kernels/matmul/matrix-dot8.js';
import type { MatmulVariant } from '../../../src/kernels/matmul/kernel.js';
import { relativeError } from '../../reference/compare.js';
import { freeingAll } from '../../support/buffers.js';
import { DOT8_CASES, dot8Data, runDot8 } from '../../support/matmul-dot8.js';
import { matmulData, runMatmul } from '../../support/matmul.js';
import { checkMany, type ManyCase } from '../../support/matmul-many.js';
import { withColumns } from '../../support/shorter-tiles.js';
import { emulatedGpu, emulatingAdapters } from '../../support/nvidia.js';
import { checkAttention, EMULATED_PRODUCTS } from './cases.js';

/** A driver that spells out every number of a matrix takes minutes for the largest tiles. */
const PATIENCE = 900_000;

const [adapter] = await emulatingAdapters();

/** x and weights that are quants, rounded to f16. */
const ROUNDED_TOLERANCE = 1e-3;

/** One way to end for each tile, since each is compiled anew; a tile's others are looked at in emulated.test.ts. */
const RESIDUAL = EMULATED_PRODUCTS.filter(({ epilogue }) => epilogue === 'residual');

/** Rows that end within 64 and within 96 columns, in whole and ragged tiles. */
const RAGGED: ManyCase = { epilogue: 'residual', decodeRows: 5, n: 160, k: 352, rows: 140 };

/** Heads of two matrices that share keys in a workgroup, and of one where they are narrow, which take longest to compile. */
const HEADS: Readonly<Record<string, HeadShape>> = {
  '16x16x16': { heads: 4, kvHeads: 1, headDim: 32 },
  '16x8x16': { heads: 4, kvHeads: 1, headDim: 16 },
};

describe.skipIf(adapter === undefined)(
  `matrices of 32 lanes emulated on ${adapter ?? 'an adapter with f16 and no matrices'}`,
  () => {
    let gpu: Gpu;
    beforeAll(async () => void (gpu = await emulatedGpu(adapter)));

    // One tile of one subgroup after the other, one of eight, and one in two stages; 16x16x16 by itself is quick enough
    // for the other tests.
    it.each([
      ['16x16x16', /-(128x128-k16-double|64x128)$/],
      ['16x8x16', /-(64x64|128x64-8)$/],
    ])(
      'multiply many rows as float64 does, tiles of %s',
      async (shape, tiles) => {
        const variants = matrixVariants({ dtype: 'f16', lanes: 1 }, gpu.capabilities, 'f16');
        const tested = variants.filter(({ name }) => name.startsWith(`matrix${shape}-`) && tiles.test(name));
        expect(tested).toHaveLength(2);
        for (const test of RESIDUAL) await checkMany(gpu, tested, test);
      },
      PATIENCE,
    );

    // Its own number of columns wants more workgroup memory than the adapter has, and so do tiles with edges. 128x256 has
    // the same text and compiles even longer.
    it.each(['256x128-8'])(
      'make the whole tiles of %s, fewer columns at a time, as float64 does',
      async (tile) => {
        const large = { ...gpu.capabilities, maxWorkgroupBytes: 48 * 1024 };
        const variant = matrixVariants({ dtype: 'f16', lanes: 1 }, large, 'f16').find(
          ({ name }) => name === `matrix16x16x16-${tile}`,
        )!;
        const shorter = withColumns(variant, 16);
        await checkMany(gpu, [shorter], { epilogue: 'residual', decodeRows: 0, n: 256, k: 96, rows: 512 });
        await checkMany(gpu, [shorter], { epilogue: 'residual', decodeRows: 256, n: 512, k: 32, rows: 512 });
      },
      PATIENCE,
    );

    it(
      'multiply many columns at a time, where a row ends within them, as float64 does',
      async () => {
        const large = { ...gpu.capabilities, maxWorkgroupBytes: 48 * 1024 };
        const variants = matrixVariants({ dtype: 'f16', lanes: 1 }, large, 'f16');
        const named = (name: string): MatmulVariant => variants.find((each) => each.name === name)!;
        const long = named('matrix16x16x16-64x64-k128');
        // Of 128 columns the adapter holds 96 at a time: no power of two, and no divisor of what rows are padded to.
        const tested = [named('matrix16x16x16-64x128-k64'), withColumns(long, 96)];
        for (const test of [...RESIDUAL, RAGGED]) await checkMany(gpu, tested, test);
      },
      PATIENCE,
    );

    // Groups of 32 columns end within what the second stages at once.
    it.each([
      ['int8-g64-zp', '64x64'],
      ['int4-g32', '64x128-k64'],
    ] as const)(
      'multiply rows with weights of %s as float64 does, tiles of 16x8x16-%s',
      async (dtype, tile) => {
        const variants = matrixVariants({ dtype, lanes: 1 }, gpu.capabilities);
        const tested = variants.filter(({ name }) => name === `matrix16x8x16-${tile}`);
        expect(tested).toHaveLength(1);
        const test = { n: 130, k: 232 };
        const data = matmulData(test, 65, dtype);
        for (const variant of tested) {
          await freeingAll(gpu, async () => {
            for (const result of await runMatmul(gpu, variant, 'store', dtype, test, data, [1, 64, 65], 1)) {
              const what = `${variant.name}, ${result.rows} rows`;
              expect(relativeError(result.out, result.expected), what).toBeLessThan(ROUNDED_TOLERANCE);
              expect(result.touched, `${what}: words touched outside the result`).toBe(0);
            }
          });
        }
      },
      PATIENCE,
    );

    it.each(['16x16x32'])(
      'multiply rows and weights of 8 bits as float64 does, %s',
      async (shape) => {
        const dtype = 'int8-g64-zp';
        const variants = dot8MatrixVariants({ dtype, lanes: 1 }, gpu.capabilities);
        const tested = variants.filter(({ name }) => new RegExp(`^matrix${shape}-i8-64x64$`).test(name));
        expect(tested).toHaveLength(1);
        for (const test of DOT8_CASES) {
          const data = dot8Data(test, dtype);
          for (const variant of tested) {
            const { error, touched } = await freeingAll(gpu, () => runDot8(gpu, variant, 1, test, data));
            expect(error, `${variant.name}, ${JSON.stringify(test)}`).toBeLessThan(variant.tolerance!);
            expect(touched).toBe(0);
          }
        }
      },
      PATIENCE,
    );

    it.each(Object.entries(HEADS))(
      'make attention of prompts as float64 does, %s',
      async (matrix, shape) => checkAttention(gpu, `matrix${matrix}`, shape, 'f16'),
      PATIENCE,
    );
  },
);
