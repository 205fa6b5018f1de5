import { beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { HeadShape, KvStored } from '../../../src/kernels/attention/shape.js';
import { matrixAttentionVariants } from '../../../src/kernels/attention/matrix.js';
import { prefillAttentionVariants, type PrefillAttentionVariant } from '../../../src/kernels/attention/kernel.js';
import type { Gpu } from '../../../src/gpu/gpu.js';
import { relativeError } from '../../reference/compare.js';
import { adapters, testGpu } from '../../support/adapters.js';
import { runPrefill } from '../../support/attention.js';
import { freeingAll } from '../../support/buffers.js';
import { worstErrors } from '../../support/worst.js';
import { HEAD_SHAPES, PREFILL_STEPS, type Chunk } from './cases.js';

const worst = worstErrors();

/** Query heads that share a KV head in threes, fours and eights. What compiles longest lies between others: 96. */
const SHAPES: readonly HeadShape[] = [
  ...HEAD_SHAPES.filter(({ headDim }) => headDim !== 96),
  { heads: 6, kvHeads: 2, headDim: 16 },
  { heads: 8, kvHeads: 2, headDim: 32 },
  { heads: 8, kvHeads: 1, headDim: 64 },
];

/** Beside the common ones: contexts that end around the keys read at once, and rows over several tiles. */
const STEPS: readonly (readonly Chunk[])[] = [
  ...PREFILL_STEPS,
  [
    { context: 15, newTokens: 1 },
    { context: 31, newTokens: 2 },
    { context: 100, newTokens: 130 },
  ],
];

describe.each(adapters)('attention on subgroup matrices on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => void (gpu = await testGpu(adapter)));

  const check = async (variant: PrefillAttentionVariant, shape: HeadShape, kv: KvStored = 'f16'): Promise<void> => {
    for (const chunks of STEPS) {
      const { out, expected, touched } = await freeingAll(gpu, () => runPrefill(gpu, shape, kv, chunks, variant));
      const error = relativeError(out, expected);
      const what = `${variant.name}, ${JSON.stringify(chunks)}`;
      worst(`${adapter} ${variant.name} ${kv} head size ${shape.headDim}`, error);
      expect(error, what).toBeLessThan(variant.tolerance!);
      expect(touched, `${what}: words touched outside the rows`).toBe(0);
    }
  };

  /** What there is for a shape; a test of an adapter without any is skipped. */
  const offered = (shape: HeadShape, kv: KvStored, { skip }: TestContext): PrefillAttentionVariant[] => {
    const variants = matrixAttentionVariants(shape, kv, gpu.capabilities);
    skip(variants.length === 0, `${adapter} has no subgroup matrices that suit this shape`);
    return variants;
  };

  it.for(SHAPES)('matches float64, %j', async (shape, context) => {
    for (const variant of offered(shape, 'f16', context)) await check(variant, shape);
  });

  // Values of int8 are rounded to f16 too, once they have their scale.
  it.for(SHAPES.filter(({ headDim }) => [6, 32].includes(headDim)))(
    'matches float64 over a cache of int8, %j',
    async (shape, context) => {
      for (const variant of offered(shape, 'int8', context)) await check(variant, shape, 'int8');
    },
  );

  it.each(SHAPES.filter(({ headDim }) => headDim === 16 || headDim === 6))(
    'writes rows in f16, as the kernels without matrices do, %j',
    async (shape) => {
      const kept = prefillAttentionVariants(shape, 'f16', gpu.capabilities, true);
      expect(kept.length).toBeGreaterThan(0);
      for (const variant of kept) await check(variant, shape);
    },
  );

  // The slack makes scaling rare; without it every row that finds a better key has its sums scaled.
  it.for(SHAPES.slice(0, 3))('matches float64 without slack, %j', async (shape, context) => {
    for (const variant of offered(shape, 'f16', context)) {
      await check({ ...variant, name: `${variant.name} no slack`, defines: { ...variant.defines, SLACK: 0 } }, shape);
    }
  });

  it('is the first choice where the adapter is no CPU, and never over a cache of f32', () => {
    const shape = { heads: 2, kvHeads: 2, headDim: 64 };
    const first = (isCpu: boolean): string =>
      prefillAttentionVariants(shape, 'f16', { ...gpu.capabilities, isCpu })[0].name;
    const some = matrixAttentionVariants(shape, 'f16', gpu.capabilities).length > 0;
    expect(first(true)).toMatch(gpu.capabilities.subgroups ? /^flash-(lanes|narrow)$/ : /^flash-narrow$/);
    expect(first(false)).toMatch(some ? /^matrix/ : /^flash-wide$/);
    expect(matrixAttentionVariants(shape, 'f32', gpu.capabilities)).toEqual([]);
  });
});
