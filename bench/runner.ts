import { tpotTrial, ttftTrial } from './measure/end-to-end.js';
import { llamaBenchTrial, operationsTrial } from './measure/steps.js';
import type { BenchTarget } from './measure/target.js';
import { type PaceLog } from './pace/log.js';
import { joinedPace } from './pace/record.js';
import type { BenchPoint, SkippedPoint } from './plan.js';
import { measuredRecord, runRounds, type RoundMeasure, type Measuring, type RoundEvents } from './rounds.js';
import type { BenchOptions, BenchResult } from './schema.js';

/** Measures points of every kind on an engine. */
export function measureOn(target: BenchTarget, prompt: BenchOptions['prompt'], prefillChunk: number): RoundMeasure {
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
export interface RunEvents extends Omit<RoundEvents, 'onSave' | 'pace'> {
  /** Every few seconds, at the end and when stopped, with all there is so far. */
  readonly onRecord?: (result: BenchResult) => Promise<void>;
  /** Says around and between runs how fast the host is. */
  readonly pace?: PaceLog;
}

/** Which part of a benchmark a run is, where it is not all of it. */
export interface RunShare {
  /** All points of the benchmark, in the order of their records. */
  readonly order: readonly BenchPoint[];
  /** Whether other points come after these. */
  readonly more: boolean;
  /** Seconds these should take, in place of the options'. */
  readonly budget?: number;
}

/**
 * Measures what `begun` lacks of the points.
 *
 * @returns everything measured, complete unless the signal stopped it
 */
export async function runBench(
  begun: BenchResult,
  points: readonly BenchPoint[],
  measure: RoundMeasure,
  { onProgress, onRecord, signal, pace }: RunEvents = {},
  share: RunShare = { order: points, more: false, budget: begun.options.budget_s },
): Promise<BenchResult> {
  const { warmup, repetitions } = begun.options;
  const { budget } = share;
  // A record without its runs is done; one with them goes on.
  const finished = new Set([...begun.records, ...begun.skipped].map(({ id }) => id));
  for (const id of Object.keys(begun.runs ?? {})) finished.delete(id);
  const states = points
    .filter(({ id }) => !finished.has(id))
    .map((point): Measuring => {
      const runs = [...(begun.runs?.[point.id] ?? [])];
      const paces = [...(begun.run_paces?.[point.id] ?? [])];
      return { point, trial: measure(point), runs, paces, turns: [], date: begun.date, skipped: undefined };
    });
  const save = async (done: boolean): Promise<BenchResult> => {
    const result = withPace(assemble(begun, share, states, done), begun, pace);
    await onRecord?.(result);
    return result;
  };
  try {
    const onSave = async (): Promise<void> => void (await save(false));
    await runRounds(states, { warmup, repetitions, budget }, { onProgress, signal, onSave, pace });
  } catch (error) {
    if (!signal?.aborted) throw error;
    return save(false);
  }
  return save(true);
}

/** The result as it stands, its records in the order of the plan. @param done whether these points are */
function assemble(
  begun: BenchResult,
  { order, more }: RunShare,
  states: readonly Measuring[],
  done: boolean,
): BenchResult {
  const { runs: earlier = {}, run_paces: earlierPaces = {}, ...rest } = begun;
  const complete = done && !more;
  const measured = states.filter(({ runs }) => runs.length > 0);
  const records = new Map(begun.records.map((record) => [record.id, record]));
  const runs = { ...earlier };
  const paces = { ...earlierPaces };
  for (const state of measured) {
    const { id } = state.point;
    const record = measuredRecord(state, begun.options.warmup);
    records.set(id, { ...begun.context, date: state.date, ...record });
    if (done) {
      delete runs[id];
      delete paces[id];
    } else {
      runs[id] = state.runs;
      if (state.paces.length > 0) paces[id] = state.paces;
    }
  }
  const rank = new Map(order.map(({ id }, at) => [id, at]));
  return {
    ...rest,
    complete,
    records: [...records.values()].sort((a, b) => (rank.get(a.id) ?? -1) - (rank.get(b.id) ?? -1)),
    skipped: [
      ...begun.skipped,
      ...states.flatMap(({ point: { id }, skipped }) => (skipped === undefined ? [] : [{ id, reason: skipped }])),
    ],
    ...(complete ? {} : { runs }),
    ...(complete || Object.keys(paces).length === 0 ? {} : { run_paces: paces }),
  };
}

/** The result with the samples of the host's pace, those that it began with included. */
function withPace(result: BenchResult, begun: BenchResult, log?: PaceLog): BenchResult {
  const pace = joinedPace(begun.pace, log?.record());
  return pace === undefined ? result : { ...result, pace };
}

/** The plan's skipped points, noted once. */
export function withSkipped(result: BenchResult, skipped: readonly SkippedPoint[]): BenchResult {
  const known = new Set(result.skipped.map(({ id }) => id));
  return { ...result, skipped: [...result.skipped, ...skipped.filter(({ id }) => !known.has(id))] };
}
