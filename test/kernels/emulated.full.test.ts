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

const able = await emulatingAdapters();

/** Head sizes of one and several matrices, and heads that share keys in a workgroup. */
const SHAPES: readonly HeadShape[] = [
  { heads: 2, kvHeads: 2, headDim: 64 },
  { heads: 4, kvHeads: 1, headDim: 32 },
];

describe.skipIf(able.length === 0).each(able.slice(0, 1))('matrices of 32 lanes emulated on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => void (gpu = await emulatedGpu(adapter)));

  it.each(['16x16x16', '16x8x16', '16x8x8'])(
    'multiply many rows as float64 does, every tile of %s',
    async (shape) => {
      const variants = matrixVariants({ dtype: 'f16', lanes: 1 }, gpu.capabilities, 'f16');
      const tested = variants.filter(({ name }) => name.startsWith(`matrix${shape}`));
      expect(tested.length).toBeGreaterThan(3);
      for (const test of EMULATED_PRODUCTS) await checkMany(gpu, tested, test);
    },
    PATIENCE,
  );

  it.each(['16x16x32', '16x8x32'])(
    'multiply rows and weights of 8 bits as float64 does, %s',
    async (shape) => {
      const dtype = 'int8-g64-zp';
      const variants = packedMatrixVariants({ dtype, lanes: 1 }, gpu.capabilities);
      const tested = variants.filter(({ name }) => new RegExp(`^matrix${shape}-i8-(64x64|32x64-2)$`).test(name));
      expect(tested).toHaveLength(2);
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

  it.each(['16x16x16', '16x8x16', '16x8x8'])(
    'make attention of prompts as float64 does, %s',
    async (shape) => {
      for (const heads of SHAPES) await checkAttention(gpu, `matrix${shape}`, heads, 'f16');
      await checkAttention(gpu, `matrix${shape}`, SHAPES[1], 'int8');
    },
    PATIENCE,
  );
});
