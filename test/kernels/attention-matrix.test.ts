import { beforeAll, describe, expect, it } from 'vitest';
import type { HeadShape, KvStored } from '../../src/kernels/attention-shape.js';
import { matrixAttentionVariants } from '../../src/kernels/attention-matrix.js';
import { prefillAttentionVariants, type PrefillAttentionVariant } from '../../src/kernels/attention.js';
import type { Gpu } from '../../src/gpu/gpu.js';
import { relativeError } from '../reference/compare.js';
import { adapters, testGpu } from '../support/adapters.js';
import { runPrefill } from '../support/attention.js';
import { freeingAll } from '../support/buffers.js';
import { worstErrors } from '../support/worst.js';
import { HEAD_SHAPES, PREFILL_STEPS, type Chunk } from './cases/attention.js';

/**
 * Queries and weights are rounded to f16, 2^-11 of themselves at most and 2.8e-4 in the mean square. A query's error
 * is one of the score times the score's size, here a few units, which exp turns into a relative one of its weight.
 */
const TOLERANCE = 1e-3;
const worst = worstErrors();

/** Query heads that share a KV head in threes, fours and eights. */
const SHAPES: readonly HeadShape[] = [
  ...HEAD_SHAPES,
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
      expect(error, what).toBeLessThan(TOLERANCE);
      expect(touched, `${what}: words touched outside the rows`).toBe(0);
    }
  };

  it.each(SHAPES)('matches float64, %j', async (shape) => {
    for (const variant of matrixAttentionVariants(shape, 'f16', gpu.capabilities)) await check(variant, shape);
  });

  // Values of int8 are rounded to f16 too, once they have their scale.
  it.each(SHAPES.filter(({ headDim }) => [6, 80, 32].includes(headDim)))(
    'matches float64 over a cache of int8, %j',
    async (shape) => {
      for (const variant of matrixAttentionVariants(shape, 'int8', gpu.capabilities)) {
        await check(variant, shape, 'int8');
      }
    },
  );

  it.each([SHAPES[7], SHAPES[1]])('writes rows in f16, as the kernels without matrices do, %j', async (shape) => {
    const kept = prefillAttentionVariants(shape, 'f16', gpu.capabilities, true);
    expect(kept.length).toBeGreaterThan(0);
    for (const variant of kept) await check(variant, shape);
  });

  // The slack makes scaling rare; without it every row that finds a better key has its sums scaled.
  it.each(SHAPES.slice(0, 3))('matches float64 without slack, %j', async (shape) => {
    for (const variant of matrixAttentionVariants(shape, 'f16', gpu.capabilities)) {
      await check({ ...variant, name: `${variant.name} no slack`, defines: { ...variant.defines, SLACK: 0 } }, shape);
    }
  });

  it('is the first choice where the adapter is no CPU, and never over a cache of f32', () => {
    const shape = { heads: 2, kvHeads: 2, headDim: 64 };
    const first = (isCpu: boolean): string =>
      prefillAttentionVariants(shape, 'f16', { ...gpu.capabilities, isCpu })[0].name;
    const offered = matrixAttentionVariants(shape, 'f16', gpu.capabilities).length > 0;
    expect(first(true)).toMatch(gpu.capabilities.subgroups ? /^flash-(lanes|narrow)$/ : /^flash-narrow$/);
    expect(first(false)).toMatch(offered ? /^matrix/ : /^flash-wide$/);
    expect(matrixAttentionVariants(shape, 'f32', gpu.capabilities)).toEqual([]);
  });
});
