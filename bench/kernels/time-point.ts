import type { Gpu } from '../../src/gpu/gpu.js';
import type { Stopwatch } from '../../src/gpu/stopwatch.js';
import { candidates } from './candidates.js';
import type { KernelPace } from './pace.js';
import { pointId, type PointCandidate, type Point } from './point.js';

export interface Timing {
  readonly workingBytes: number;
  /** Which variants take part. */
  readonly wants: (variant: string) => boolean;
  /** Milliseconds for samples beyond the least, or, `within` them, for everything. */
  readonly shareMs: number;
  /** Leave variants out rather than take longer. */
  readonly within: boolean;
  /** Variants that are made at a time. */
  readonly atOnce: number;
  readonly signal?: AbortSignal;
}

export interface TimedPoint {
  readonly measured: readonly {
    readonly candidate: Omit<PointCandidate, 'timed'>;
    readonly samples: readonly number[];
  }[];
  readonly refused: readonly { readonly variant: string; readonly reason: string }[];
  /** Those for which there was no time. */
  readonly leftOut: readonly string[];
}

/** Samples that a variant gets at least, and at most. */
const SAMPLES = { least: 3, most: 30 };
/** Launches before the samples. */
const WARMUP = 2;

/**
 * Makes a point's data and candidates, times them in turns and lets go of all.
 *
 * @throws AbortError when the signal stops it, RidgepointError when memory is short or the device lost
 */
export async function timePoint(
  gpu: Gpu,
  stopwatch: Stopwatch,
  point: Point,
  pace: KernelPace,
  { workingBytes, wants, shareMs, within, atOnce, signal }: Timing,
): Promise<TimedPoint> {
  const began = performance.now();
  const left = (): number => Math.max(0, began + shareMs - performance.now());
  const refused: { variant: string; reason: string }[] = [];
  return gpu.scoped(async () => {
    let making = 0;
    const { made, leftOut } = await gpu.checkedAllocation(pointId(point), async () => {
      const makers = (await point.prepare(gpu, workingBytes)).filter(({ variant }) => wants(variant));
      const from = performance.now();
      const result = await candidates(makers, {
        ...(within ? { most: pace.affordable(left()), withinMs: left() } : {}),
        atOnce,
        refused: (variant, reason) => refused.push({ variant, reason }),
      });
      making = performance.now() - from;
      return result;
    });
    const from = performance.now();
    const samples = await stopwatch.rounds(
      made.map(({ timed }) => timed),
      { ...SAMPLES, budgetMs: within ? left() : shareMs, signal },
    );
    const launches = WARMUP + Math.max(0, ...samples.map(({ length }) => length));
    pace.note(made.length, making, performance.now() - from, launches, WARMUP + SAMPLES.least);
    const measured = made.map(({ timed: _, ...candidate }, i) => ({ candidate, samples: samples[i] }));
    return { measured, refused, leftOut };
  });
}
