import { beforeAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../../../src/gpu/gpu.js';
import { KV_STORED } from '../../../src/kernels/attention/shape.js';
import { decodeWidths } from '../../../src/kernels/attention/decode.js';
import { prefillAttentionVariants } from '../../../src/kernels/attention/kernel.js';
import { relativeError } from '../../reference/compare.js';
import { adapters, testGpu } from '../../support/adapters.js';
import { runDecode, runPrefill, type AttentionResult } from '../../support/attention.js';
import { freeingAll } from '../../support/buffers.js';
import { chosen, isFull } from '../../support/scale.js';
import { worstErrors } from '../../support/worst.js';
import { ATTENTION_SHAPES, DECODE_STEPS, PREFILL_STEPS } from './cases.js';

/**
 * Keys and values are rounded to the cache's type first. What is left is f32: scores of about ten, whose error of a few
 * units of 2^-24 exp turns into as much relative error of a weight times the score, and sums over at most 300 keys.
 */
const TOLERANCE = 3e-6;
const isSoftware = (adapter: string): boolean => adapter === 'lavapipe' || adapter === 'swiftshader';
const WIDTHS = ['lanes', 'wide', 'narrow'] as const;
const worst = worstErrors();

describe.each(adapters)('attention on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => void (gpu = await testGpu(adapter)));

  const check = (name: string, kv: string, what: unknown, { out, expected, touched }: AttentionResult): void => {
    const error = relativeError(out, expected);
    worst(`${adapter} ${name} ${kv}`, error);
    expect(error, JSON.stringify(what)).toBeLessThan(TOLERANCE);
    expect(touched, `${JSON.stringify(what)}: words touched outside the rows`).toBe(0);
  };

  const all = KV_STORED.flatMap((kv) => WIDTHS.map((width) => [kv, width] as const));
  const cases = chosen(all, ([kv, width]) => !isSoftware(adapter) || kv === 'f16' || width === 'lanes');
  describe.each(cases)('over a cache of %s, %s workgroups', (kv, width) => {
    // Software drivers take seconds to compile a shape, so of the widths they do not use they try every third.
    const shapes = ATTENTION_SHAPES[kv].filter(
      (_, i) => !isSoftware(adapter) || i % (width === 'lanes' ? (isFull ? 1 : 4) : isFull ? 3 : 7) === 0,
    );
    it.each(shapes)('prefill matches float64, %j', async (shape) => {
      const variants = prefillAttentionVariants(shape, kv, gpu.capabilities);
      const flash = variants.find(({ name }) => name === `flash-${width}`);
      if (flash === undefined) return expect(width, 'only this one needs subgroups').toBe('lanes');
      for (const chunks of PREFILL_STEPS) {
        check('prefill', kv, chunks, await freeingAll(gpu, () => runPrefill(gpu, shape, kv, chunks, flash)));
      }
    });

    it.each(shapes)('decode matches float64, %j', async (shape) => {
      if (!decodeWidths(shape, kv, gpu.capabilities).includes(width)) return expect(width).toBe('lanes');
      for (const step of DECODE_STEPS) {
        check('decode', kv, step, await freeingAll(gpu, () => runDecode(gpu, shape, kv, step, width)));
      }
    });
  });

  it.each(['keys', 'values'] as const)(
    'NaN among the %s of int8 stays in its sequence and head, and NaN',
    async (what) => {
      const [shape] = ATTENTION_SHAPES.int8;
      const [width] = decodeWidths(shape, 'int8', gpu.capabilities);
      const [, step] = DECODE_STEPS;
      const { out } = await freeingAll(gpu, () => runDecode(gpu, shape, 'int8', step, width, what));
      const shared = (shape.heads / shape.kvHeads) * shape.headDim;
      out.forEach((value, at) => expect(Number.isNaN(value), `${at}`).toBe(at < shared));
    },
  );
});
