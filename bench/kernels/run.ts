import type { Gpu } from '../../src/gpu/gpu.js';
import { Stopwatch } from '../../src/gpu/stopwatch.js';
import type { Calibration } from '../../src/roofline/hardware/calibration.js';
import { summarize } from '../../src/statistics.js';
import { ceilingOf } from './ceiling.js';
import { KernelPace } from './pace.js';
import { pointId, type PointCandidate, type Point } from './point.js';
import { timePoint } from './time-point.js';
import type { KernelRecord, KernelsResult } from './schema.js';

export interface RunOptions {
  readonly budgetMs: number;
  readonly workingBytes: number;
  /** Only variants whose names contain one of these; all when absent. */
  readonly variants?: readonly string[];
  readonly calibration: Calibration | undefined;
  readonly signal?: AbortSignal;
  /** Leave variants out rather than take longer. */
  readonly within?: boolean;
  /** Variants that are made at a time. */
  readonly atOnce?: number;
  readonly onPoint?: (id: string, index: number, of: number) => void;
  /** Every few seconds, with all there is so far: a driver may end the process. */
  readonly onRecords?: (run: MeasuredPoint) => Promise<void>;
}

export type MeasuredPoint = Pick<KernelsResult, 'complete' | 'records' | 'skipped'>;

/** What a process that is ended loses at most. */
const SAVE_MS = 3000;

/** A point, and the variants of it that are still to be timed where these are not all. */
interface Waiting {
  readonly point: Point;
  readonly left?: ReadonlySet<string>;
}

/**
 * Times the variants of each point against one another. The time is shared out evenly among the points that are left;
 * each variant gets three samples at least, so that a run may take longer than its budget. Where it may not (`within`), a
 * point for which all would take too long, by what those before it took, is left with its default and some from all over
 * its list; the others come when all points have had their turn, while there is time. Points for which none is left at all
 * are left out as well.
 */
export async function runKernels(gpu: Gpu, points: readonly Point[], options: RunOptions): Promise<MeasuredPoint> {
  const { budgetMs, workingBytes, variants, calibration, signal, within = false, atOnce = 1 } = options;
  const records: KernelRecord[] = [];
  const skipped: KernelsResult['skipped'] = [];
  const began = performance.now();
  const remaining = (): number => Math.max(0, began + budgetMs - performance.now());
  const stopwatch = new Stopwatch(gpu);
  const pace = new KernelPace();
  let saved = began;
  const wants =
    ({ left }: Waiting) =>
    (variant: string): boolean =>
      left?.has(variant) ?? variants?.some((part) => variant.includes(part)) ?? true;
  const queue: Waiting[] = points.map((point) => ({ point }));
  for (
    let index = 0;
    queue.length > 0 && (index === 0 || remaining() > 0 || (!within && index < points.length));
    index++
  ) {
    if (signal?.aborted) return { complete: false, records, skipped };
    const next = queue.shift()!;
    const id = pointId(next.point);
    options.onPoint?.(id, index, index + 1 + queue.length);
    const shareMs = remaining() / (1 + queue.length);
    try {
      const timing = { workingBytes, wants: wants(next), shareMs, within, atOnce, signal };
      const { measured, refused, leftOut } = await timePoint(gpu, stopwatch, next.point, pace, timing);
      for (const { candidate, samples } of measured) {
        records.push(recordOf(next.point, candidate, samples, calibration));
      }
      skipped.push(...refused.map(({ variant, reason }) => ({ id: `${id}, ${variant}`, reason })));
      if (leftOut.length > 0) queue.push({ point: next.point, left: new Set(leftOut) });
    } catch (error) {
      if (signal?.aborted) return { complete: false, records, skipped };
      if (gpu.lost) throw error;
      skipped.push({ id, reason: (error as Error).message });
    }
    if (performance.now() - saved < SAVE_MS) continue;
    await options.onRecords?.({ complete: false, records, skipped });
    saved = performance.now();
  }
  stopwatch.destroy();
  for (const { point, left } of queue) {
    const which = left === undefined ? 'it' : `${left.size} variants: ${[...left].join(', ')}`;
    skipped.push({ id: pointId(point), reason: `no time was left for ${which}` });
  }
  return { complete: true, records, skipped };
}

function recordOf(
  { kind, model, operation, shape, slice, dtype, activations, rows, context, bytes, flops }: Point,
  { variant, isDefault, units }: Omit<PointCandidate, 'timed'>,
  samples: readonly number[],
  calibration: Calibration | undefined,
): KernelRecord {
  const { median, spread } = summarize(samples);
  const seconds = Math.max(median, 1e-9); // a clock too coarse for a small launch reads 0
  return {
    ...{ kind, model, operation, shape, slice, dtype, activations, rows, context, variant },
    default: isDefault,
    samples_ms: samples.map((each) => 1000 * each),
    median_ms: 1000 * median,
    spread,
    bytes,
    gb_per_s: bytes / seconds / 1e9,
    flops,
    tflop_per_s: flops / seconds / 1e12,
    ceiling: calibration === undefined ? null : ceilingOf(calibration, { bytes, flops }, units, seconds),
  };
}
