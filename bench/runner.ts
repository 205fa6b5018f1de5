import { tpotTrial, ttftTrial } from './measure/end-to-end.js';
import { llamaBenchTrial, operationsTrial } from './measure/steps.js';
import type { BenchTarget } from './measure/target.js';
import type { BenchPoint, SkippedPoint } from './plan.js';
import { measuredRecord, runRounds, type Measure, type Measuring, type RoundEvents } from './rounds.js';
import type { BenchOptions, BenchResult } from './schema.js';

/** Measures points of every kind on an engine. */
export function measureOn(target: BenchTarget, prompt: BenchOptions['prompt'], prefillChunk: number): Measure {
  return (point) => {
    switch (point.kind) {
      case 'ttft':
        return ttftTrial(target, point, prompt);
      case 'tpot':
        return tpotTrial(target, point, prompt);
      case 'llama-bench':
        return llamaBenchTrial(target, point, prefillChunk);
      case 'operations':
        return operationsTrial(target, point);
    }
  };
}

/** Told while a benchmark runs. */
export interface RunEvents extends Omit<RoundEvents, 'onSave'> {
  /** Every few seconds, at the end and when stopped, with all there is so far. */
  readonly onRecord?: (result: BenchResult) => Promise<void>;
}

/**
 * Measures what `begun` lacks of the points.
 *
 * @returns everything measured, complete unless the signal stopped it
 */
export async function runBench(
  begun: BenchResult,
  points: readonly BenchPoint[],
  measure: Measure,
  { onProgress, onRecord, signal }: RunEvents = {},
): Promise<BenchResult> {
  const { warmup, repetitions, budget_s: budget } = begun.options;
  // A record without its runs is done; one with them goes on.
  const finished = new Set([...begun.records, ...begun.skipped].map(({ id }) => id));
  for (const id of Object.keys(begun.runs ?? {})) finished.delete(id);
  const states = points
    .filter(({ id }) => !finished.has(id))
    .map((point): Measuring => {
      const runs = [...(begun.runs?.[point.id] ?? [])];
      return { point, trial: measure(point), runs, date: begun.date, skipped: undefined };
    });
  const save = async (complete: boolean): Promise<BenchResult> => {
    const result = assemble(begun, points, states, complete);
    await onRecord?.(result);
    return result;
  };
  try {
    const onSave = async (): Promise<void> => void (await save(false));
    await runRounds(states, { warmup, repetitions, budget }, { onProgress, signal, onSave });
  } catch (error) {
    if (!signal?.aborted) throw error;
    return save(false);
  }
  return save(true);
}

/** The result as it stands, its records in the order of the plan. */
function assemble(
  begun: BenchResult,
  points: readonly BenchPoint[],
  states: readonly Measuring[],
  complete: boolean,
): BenchResult {
  const rest = { ...begun };
  delete rest.runs;
  const measured = states.filter(({ runs }) => runs.length > 0);
  const records = new Map(begun.records.map((record) => [record.id, record]));
  for (const state of measured) {
    const record = measuredRecord(state, begun.options.warmup);
    records.set(state.point.id, { ...begun.context, date: state.date, ...record });
  }
  const rank = new Map(points.map(({ id }, at) => [id, at]));
  return {
    ...rest,
    complete,
    records: [...records.values()].sort((a, b) => (rank.get(a.id) ?? -1) - (rank.get(b.id) ?? -1)),
    skipped: [
      ...begun.skipped,
      ...states.flatMap(({ point: { id }, skipped }) => (skipped === undefined ? [] : [{ id, reason: skipped }])),
    ],
    ...(complete ? {} : { runs: Object.fromEntries(measured.map(({ point, runs }) => [point.id, runs])) }),
  };
}

/** The plan's skipped points, noted once. */
export function withSkipped(result: BenchResult, skipped: readonly SkippedPoint[]): BenchResult {
  const known = new Set(result.skipped.map(({ id }) => id));
  return { ...result, skipped: [...result.skipped, ...skipped.filter(({ id }) => !known.has(id))] };
}
