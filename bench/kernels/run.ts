import type { Gpu } from '../../src/gpu/gpu.js';
import { Stopwatch } from '../../src/gpu/stopwatch.js';
import type { Calibration } from '../../src/roofline/calibration.js';
import { summarize } from '../../src/statistics.js';
import { ceilingOf } from './ceiling.js';
import { pointId, type Candidate, type Point } from './point.js';
import type { KernelRecord, KernelsResult } from './schema.js';

export interface RunOptions {
  readonly budgetMs: number;
  readonly workingBytes: number;
  /** Only variants whose names contain one of these; all when absent. */
  readonly variants?: readonly string[];
  readonly calibration: Calibration | undefined;
  readonly signal?: AbortSignal;
  readonly onPoint?: (id: string, index: number, of: number) => void;
}

/**
 * Times the variants of each point against one another. The time is shared out evenly among the points that are left;
 * each variant gets three samples at least, so that a run may take longer than its budget.
 */
export async function runKernels(
  gpu: Gpu,
  points: readonly Point[],
  { budgetMs, workingBytes, variants, calibration, signal, onPoint }: RunOptions,
): Promise<Pick<KernelsResult, 'complete' | 'records' | 'skipped'>> {
  const records: KernelRecord[] = [];
  const skipped: KernelsResult['skipped'] = [];
  const began = performance.now();
  const stopwatch = new Stopwatch(gpu);
  for (const [index, point] of points.entries()) {
    if (signal?.aborted) return { complete: false, records, skipped };
    const id = pointId(point);
    onPoint?.(id, index, points.length);
    const share = Math.max(0, began + budgetMs - performance.now()) / (points.length - index);
    try {
      await gpu.scoped(async () => {
        const candidates = await gpu.checkedAllocation(id, () =>
          point.prepare(gpu, {
            workingBytes,
            wants: (variant) => variants?.some((part) => variant.includes(part)) ?? true,
            refused: (variant, reason) => skipped.push({ id: `${id}, ${variant}`, reason }),
          }),
        );
        const limits = { budgetMs: share, least: 3, most: 30, signal };
        const samples = await stopwatch.rounds(
          candidates.map(({ timed }) => timed),
          limits,
        );
        candidates.forEach((candidate, i) => records.push(recordOf(point, candidate, samples[i], calibration)));
      });
    } catch (error) {
      if (signal?.aborted) return { complete: false, records, skipped };
      if (gpu.lost) throw error;
      skipped.push({ id, reason: (error as Error).message });
    }
  }
  stopwatch.destroy();
  return { complete: true, records, skipped };
}

function recordOf(
  { kind, model, operation, shape, slice, dtype, activations, rows, context, bytes, flops }: Point,
  { variant, isDefault, units }: Omit<Candidate, 'timed'>,
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
