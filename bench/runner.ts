import { measureTpot, measureTtft, type Measured } from './measure/end-to-end.js';
import { measureLlamaBench, measureOperations } from './measure/steps.js';
import type { BenchTarget, Repetitions } from './measure/target.js';
import type { BenchPoint, SkippedPoint } from './plan.js';
import type { BenchOptions, BenchRecord, BenchResult } from './schema.js';

/** Measures one point; the tests put something else in its place. */
export type Measure = (point: BenchPoint, how: Repetitions) => Promise<Measured<BenchRecord>>;

/** Measures points of every kind on an engine. */
export function measureOn(target: BenchTarget, options: BenchOptions, prefillChunk: number): Measure {
  return (point, how) => {
    switch (point.kind) {
      case 'ttft':
        return measureTtft(target, point, options.prompt, how);
      case 'tpot':
        return measureTpot(target, point, options.prompt, how);
      case 'llama-bench':
        return measureLlamaBench(target, point, prefillChunk, how);
      case 'operations':
        return measureOperations(target, point, how);
    }
  };
}

/** Told while a benchmark runs. */
export interface RunEvents {
  /** Before a point and after each of its runs; `done` counts runs. */
  readonly onProgress?: (progress: { id: string; done: number; total: number }) => void;
  /** After each point, with all there is so far. */
  readonly onRecord?: (result: BenchResult) => Promise<void>;
  readonly signal?: AbortSignal;
}

/** Why a driver cannot do a point, where that is no failure of the run. */
const UNSUPPORTED = /has no timestamp queries/;

/**
 * Measures what `begun` lacks of the points, in order.
 *
 * @returns everything measured, complete unless the signal stopped it
 */
export async function runBench(
  begun: BenchResult,
  points: readonly BenchPoint[],
  measure: Measure,
  { onProgress, onRecord, signal }: RunEvents = {},
): Promise<BenchResult> {
  let result: BenchResult = { ...begun, complete: false };
  const { warmup, repetitions, budget_s: budget } = begun.options;
  const end = budget === undefined ? undefined : performance.now() + 1000 * budget;
  const have = new Set([...result.records, ...result.skipped].map(({ id }) => id));
  const missing = points.filter(({ id }) => !have.has(id));
  const total = missing.length * (warmup + repetitions);
  try {
    for (const [index, point] of missing.entries()) {
      let done = index * (warmup + repetitions);
      onProgress?.({ id: point.id, done, total });
      const onRun = (): void => onProgress?.({ id: point.id, done: ++done, total });
      try {
        // Twice an even share of what is left: most points are quick and leave theirs to the slow ones.
        const left = end === undefined ? undefined : Math.max(0, end - performance.now());
        const shareMs = left === undefined ? undefined : (2 * left) / (missing.length - index);
        const measured = await measure(point, { warmup, repetitions, shareMs, signal, onRun });
        result = { ...result, records: [...result.records, recordOf(begun, measured)] };
      } catch (error) {
        if (!(error instanceof Error && UNSUPPORTED.test(error.message))) throw error;
        result = { ...result, skipped: [...result.skipped, { id: point.id, reason: error.message }] };
      }
      if (index === missing.length - 1) break;
      await onRecord?.(result);
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
    return result;
  }
  result = { ...result, complete: true };
  await onRecord?.(result);
  return result;
}

const recordOf = ({ context }: BenchResult, measured: Measured<BenchRecord>): BenchRecord =>
  ({ ...context, date: new Date().toISOString(), ...measured }) as BenchRecord;

/** The plan's skipped points, noted once. */
export function withSkipped(result: BenchResult, skipped: readonly SkippedPoint[]): BenchResult {
  const known = new Set(result.skipped.map(({ id }) => id));
  return { ...result, skipped: [...result.skipped, ...skipped.filter(({ id }) => !known.has(id))] };
}
