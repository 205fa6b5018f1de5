import { beforeAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../../src/gpu/gpu.js';
import { decodeAttentionVariants } from '../../src/kernels/attention/decode.js';
import type { HeadShape, KvStored } from '../../src/kernels/attention/shape.js';
import { DECODE_STEPS, type DecodeStep } from '../kernels/attention/cases.js';
import { relativeError } from '../reference/compare.js';
import { adapters, testGpu } from './adapters.js';
import { runDecode, type AttentionResult } from './attention.js';
import { freeingAll } from './buffers.js';
import { worstErrors } from './worst.js';

/** As in `attention.test.ts`. */
const TOLERANCE = 3e-6;

/** As many parts as there may be, in several sequences that finish in any order. */
const MANY_PARTS: DecodeStep = { contexts: [4096, 4033, 70, 2000, 1], splits: 64, splitTokens: 64 };

/**
 * Decode attention that joins its parts in the launch that makes them, on every adapter with subgroups.
 *
 * @param on names of adapters, and how one is opened
 */
export function describeAttentionRows(
  cases: Readonly<Partial<Record<KvStored, readonly HeadShape[]>>>,
  { names, open }: { readonly names: readonly string[]; readonly open: (name: string) => Promise<Gpu> } = {
    names: adapters,
    open: testGpu,
  },
): void {
  const worst = worstErrors();
  const list = Object.entries(cases).flatMap(([kv, shapes]) => shapes.map((shape) => [kv as KvStored, shape] as const));

  describe.each(names)('decode attention in one launch on %s', (adapter) => {
    let gpu: Gpu;
    beforeAll(async () => void (gpu = await open(adapter)));

    const run = async (shape: HeadShape, kv: KvStored, step: DecodeStep): Promise<AttentionResult> => {
      const result = await freeingAll(gpu, () => runDecode(gpu, shape, kv, step, 'rows'));
      const error = relativeError(result.out, result.expected);
      worst(`${adapter} rows ${kv}`, error);
      expect(error, JSON.stringify(step)).toBeLessThan(TOLERANCE);
      expect(result.touched, 'words touched outside the rows').toBe(0);
      expect(
        result.partials.every((word) => word === 0),
        'partial results are zero again',
      ).toBe(true);
      return result;
    };
    const missing = (shape: HeadShape, kv: KvStored): boolean =>
      !decodeAttentionVariants(shape, kv, 'rows', gpu.capabilities).split.runs(gpu.capabilities);

    /** An adapter without numbered subgroups has no such kernel. */
    const expectNone = (): void => expect(gpu.capabilities.subgroups && gpu.capabilities.subgroupId).toBe(false);

    it.each(list)('matches float64 over a cache of %s, %j', async (kv, shape) => {
      if (missing(shape, kv)) return expectNone();
      for (const step of DECODE_STEPS) await run(shape, kv, step);
    });

    it('gives a sequence the same bits alone and in company, whichever part comes last', async () => {
      const [[kv, shape]] = list;
      if (missing(shape, kv)) return expectNone();
      const all = await run(shape, kv, MANY_PARTS);
      const again = await run(shape, kv, MANY_PARTS);
      expect(again.out).toEqual(all.out);
      const alone = await run(shape, kv, { ...MANY_PARTS, contexts: MANY_PARTS.contexts.slice(0, 1) });
      expect(alone.out).toEqual(all.out.slice(0, alone.out.length));
    });
  });
}
