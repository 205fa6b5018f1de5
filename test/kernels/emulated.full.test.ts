import { beforeAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../../src/gpu/gpu.js';
import type { HeadShape } from '../../src/kernels/attention-shape.js';
import { matrixVariants } from '../../src/kernels/matmul-matrix.js';
import { packedMatrixVariants } from '../../src/kernels/matmul-matrix-packed.js';
import { freeingAll } from '../support/buffers.js';
import { PACKED_CASES, PACKED_TOLERANCE, packedData, runPacked } from '../support/matmul-packed.js';
import { checkMany } from '../support/matmul-many.js';
import { emulatedGpu, emulatingAdapters } from '../support/nvidia.js';
import { checkAttention, EMULATED_PRODUCTS } from './cases/emulated.js';

/** A driver that spells out every number of a matrix takes minutes for the largest tiles. */
const PATIENCE = 900_000;

const [adapter] = await emulatingAdapters();

/** Heads of two matrices that share keys in a workgroup. */
const HEADS: HeadShape = { heads: 4, kvHeads: 1, headDim: 32 };

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
        for (const test of EMULATED_PRODUCTS) await checkMany(gpu, tested, test);
      },
      PATIENCE,
    );

    it.each(['16x16x32'])(
      'multiply rows and weights of 8 bits as float64 does, %s',
      async (shape) => {
        const dtype = 'int8-g64-zp';
        const variants = packedMatrixVariants({ dtype, lanes: 1 }, gpu.capabilities);
        const tested = variants.filter(({ name }) => new RegExp(`^matrix${shape}-i8-64x64$`).test(name));
        expect(tested).toHaveLength(1);
        for (const test of PACKED_CASES) {
          const data = packedData(test, dtype);
          for (const variant of tested) {
            const { error, touched } = await freeingAll(gpu, () => runPacked(gpu, variant, 1, test, data));
            expect(error, `${variant.name}, ${JSON.stringify(test)}`).toBeLessThan(PACKED_TOLERANCE);
            expect(touched).toBe(0);
          }
        }
      },
      PATIENCE,
    );

    it.each(['16x16x16', '16x8x16'])(
      'make attention of prompts as float64 does, %s',
      async (shape) => checkAttention(gpu, `matrix${shape}`, HEADS, 'f16'),
      PATIENCE,
    );
  },
);
