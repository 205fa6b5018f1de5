import { beforeAll, describe, expect, it } from 'vitest';
import { decodeAttentionVariants, decodeWidths } from '../../../src/kernels/attention/decode.js';
import { prefillAttentionVariants } from '../../../src/kernels/attention/kernel.js';
import { matrixAttentionVariants } from '../../../src/kernels/attention/matrix.js';
import type { HeadShape, KvStored } from '../../../src/kernels/attention/shape.js';
import type { Gpu } from '../../../src/gpu/gpu.js';
import { relativeError } from '../../reference/compare.js';
import { adapters, testGpu } from '../../support/adapters.js';
import { runDecode, runPrefill, type AttentionResult } from '../../support/attention.js';
import { freeingAll } from '../../support/buffers.js';
import { emulatedGpu, emulatingAdapters } from '../../support/nvidia.js';
import { chosen, isFull } from '../../support/scale.js';
import type { Chunk, DecodeStep } from './cases.js';

/** A token alone, less than a block, around the keys read at once, more than a part of a context. */
const WINDOWS = [1, 13, 32, 77, 200];
const SHAPES: readonly (readonly [KvStored, HeadShape])[] = [
  ['f32', { heads: 4, kvHeads: 2, headDim: 10 }],
  ['f16', { heads: 6, kvHeads: 2, headDim: 16 }],
  ['int8', { heads: 2, kvHeads: 1, headDim: 20 }],
];

const PREFILL: readonly Chunk[] = [
  { context: 0, newTokens: 40 },
  { context: 33, newTokens: 17 },
  { context: 150, newTokens: 70 },
];
const DECODE: readonly DecodeStep[] = [
  { contexts: [63, 64, 65, 1], splits: 2, splitTokens: 64 },
  { contexts: [300, 5, 200, 129], splits: 5, splitTokens: 64 },
  { contexts: [300, 257], splits: 2, splitTokens: 256 },
];

/** As in `attention.test.ts`, and where queries and weights are rounded to f16 as in `matrix.test.ts`. */
const TOLERANCE = { exact: 3e-6, rounded: 1e-3 };

const check = ({ out, expected, touched }: AttentionResult, tolerance: number, what: string): void => {
  expect(relativeError(out, expected), what).toBeLessThan(tolerance);
  expect(touched, `${what}: words touched outside the rows`).toBe(0);
};

describe.each(adapters)('attention in a window on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => void (gpu = await testGpu(adapter)));
  const windows = chosen(WINDOWS, (window) => window === 77);

  it.each(chosen(SHAPES, (_, i) => i === 1))('of decoding sequences matches float64, %s, %j', async (kv, shape) => {
    const rows = decodeAttentionVariants(shape, kv, 'rows', gpu.capabilities).split.runs(gpu.capabilities);
    const widths = new Set([...decodeWidths(shape, kv, gpu.capabilities), ...(rows ? (['rows'] as const) : [])]);
    expect(widths.size).toBeGreaterThan(1);
    for (const width of widths) {
      for (const window of windows) {
        for (const step of DECODE) {
          const result = await freeingAll(gpu, () => runDecode(gpu, { ...shape, window }, kv, step, width));
          check(result, TOLERANCE.exact, `${width}, window of ${window}, ${JSON.stringify(step)}`);
          if (width === 'rows') expect(result.partials.every((word) => word === 0)).toBe(true);
        }
      }
    }
  });

  it.each(SHAPES)('of prompts matches float64, %s, %j', async (kv, shape) => {
    const variants = prefillAttentionVariants(shape, kv, gpu.capabilities);
    expect(variants.length).toBeGreaterThan(1);
    for (const variant of variants) {
      const tolerance = variant.tolerance!;
      for (const window of windows) {
        const result = await freeingAll(gpu, () => runPrefill(gpu, { ...shape, window }, kv, PREFILL, variant));
        check(result, tolerance, `${variant.name}, window of ${window}`);
      }
    }
  });
});

// Emulation takes drivers half a minute to compile.
const able = isFull ? await emulatingAdapters() : [];

describe.skipIf(able.length === 0)(
  'attention in a window on matrices of 32 lanes, emulated (full runs with f16)',
  () => {
    it.each(able)('matches float64 on %s', async (adapter) => {
      const gpu = await emulatedGpu(adapter);
      for (const [kv, shape] of SHAPES.slice(1)) {
        const [variant] = matrixAttentionVariants(shape, kv, gpu.capabilities);
        expect(variant.name).toBe('matrix16x16x16');
        for (const window of [13, 77]) {
          const result = await freeingAll(gpu, () => runPrefill(gpu, { ...shape, window }, kv, PREFILL, variant));
          check(result, TOLERANCE.rounded, `window of ${window}, ${kv}`);
        }
      }
    });
  },
);
