import type { Measured } from './measure/end-to-end.js';
import type { Trial } from './measure/target.js';
import type { BenchPoint } from './plan.js';
import type { BenchRecord } from './schema.js';
import type { PaceBeside, PaceLog } from './pace/log.js';
import { byWork, RunClock } from './work.js';
import { PACE_PARTS } from '../src/roofline/hardware/pace.js';

export type PointTrial = Trial<unknown, Measured<BenchRecord>>;

/** How a point is measured; the tests put something else in its place. */
export type RoundMeasure = (point: BenchPoint) => PointTrial;

/** A point with its runs so far. */
export interface Measuring {
  readonly point: BenchPoint;
  readonly trial: PointTrial;
  readonly runs: unknown[];
  /** Milliseconds of fixed kernels around each run, where those are known of all. */
  readonly paces: PaceBeside[];
  /** When each run came, counted over the runs of all points. */
  readonly turns: number[];
  /** Of the last run: ISO date and time. */
  date: string;
  /** Why there are no runs. */
  skipped: string | undefined;
}

export interface RoundOptions {
  /** Runs of each point that do not count, and that do. */
  readonly warmup: number;
  readonly repetitions: number;
  /** Seconds the whole should take. */
  readonly budget?: number;
  /** Seconds a run of a point may take; those that would take longer are left out, but for one of each kind. */
  readonly longest?: (point: BenchPoint) => number;
}

/** Told while points are measured. */
export interface RoundEvents {
  /** Before the first run and after each; `done` counts runs. */
  readonly onProgress?: (progress: { id: string; done: number; total: number }) => void;
  /** Learns around what is measured how fast the host is. */
  readonly pace?: Pick<PaceLog, 'beside'>;
  /** Every few seconds: a good moment to save. */
  readonly onSave?: () => Promise<void>;
  readonly signal?: AbortSignal;
}

/** Why a driver cannot do a point, where that is no failure of the run. */
const UNSUPPORTED = /has no timestamp queries/;
/** What a process that is killed loses at most. */
const SAVE_MS = 3000;

/**
 * Measures points in turn: one run of each, then the next round, so that a machine whose pace drifts does so for all
 * points alike. Within a round cheap points come first; a first run for which too little time is left is left out, and
 * so are repetitions.
 *
 * @throws AbortError when the signal stops it; the runs there are stay in `states`
 */
export async function runRounds(
  states: readonly Measuring[],
  { warmup, repetitions, budget, longest = () => Infinity }: RoundOptions,
  { onProgress, pace: log, onSave, signal }: RoundEvents = {},
): Promise<void> {
  const order = byWork(states, ({ point }) => point);
  const rounds = warmup + repetitions;
  const total = order.reduce((sum, { runs }) => sum + Math.max(0, rounds - runs.length), 0);
  const clock = new RunClock();
  const kinds = new Set<string>();
  const began = performance.now();
  const secondsSince = (then: number): number => (performance.now() - then) / 1000;
  let [done, saved, turn] = [0, -Infinity, 0];
  if (total > 0) onProgress?.({ id: order[0].point.id, done, total });
  for (let round = 0; round < rounds; round++) {
    for (const state of order) {
      if (state.skipped !== undefined || state.runs.length > round) continue;
      const { point } = state;
      signal?.throwIfAborted();
      const left = budget === undefined ? Infinity : budget - secondsSince(began);
      const guess = clock.guess(point);
      if (round === 0 && guess > longest(point) && kinds.has(kindOf(point))) {
        state.skipped = `would take about ${inWords(guess)}`;
      } else if (guess > left || left <= 0) {
        if (round === 0) state.skipped = `would take about ${inWords(guess)}, more than was left of ${budget} s`;
      } else {
        const start = performance.now();
        try {
          const measure = (onReady?: () => Promise<void>) => state.trial.run(round, signal, onReady);
          const { run, pace } =
            log === undefined ? { run: await measure() } : await log.beside(measure, state.trial.leadMs);
          state.runs.push(run);
          state.turns.push(turn++);
          if (pace !== undefined) state.paces.push(pace);
          kinds.add(kindOf(point));
          state.date = new Date().toISOString();
          clock.note(point, secondsSince(start));
        } catch (error) {
          if (!(error instanceof Error && UNSUPPORTED.test(error.message))) throw error;
          state.skipped = error.message;
        }
      }
      onProgress?.({ id: point.id, done: ++done, total });
      if (performance.now() - saved < SAVE_MS) continue;
      await onSave?.();
      saved = performance.now();
    }
  }
}

/** What a point measures, and of which phase. */
const kindOf = (point: BenchPoint): string => {
  const { engine = '', kind } = point;
  const phase =
    point.kind === 'operations' ? point.phase : point.kind === 'llama-bench' && point.prompt > 0 ? 'prefill' : '';
  return `${engine} ${kind} ${phase}`;
};

/** Runs of a point that do not count. Where there was time for no more than warming up, the last one does. */
const uncountedOf = ({ runs }: Measuring, warmup: number): number => Math.min(warmup, runs.length - 1);

/** When each run came that counts. */
export const countedTurns = (state: Measuring, warmup: number): number[] =>
  state.turns.slice(uncountedOf(state, warmup));

/** The record of a point that has runs. */
export function measuredRecord(state: Measuring, warmup: number): Measured<BenchRecord> {
  const { trial, runs, paces } = state;
  const uncounted = uncountedOf(state, warmup);
  const record = trial.record(runs.slice(0, uncounted), runs.slice(uncounted));
  if (paces.length !== runs.length) return record;
  const counted = paces.slice(uncounted);
  const [compute, memory, launch] = PACE_PARTS.map((part) => counted.map((each) => each[part]));
  return { ...record, paces_ms: { compute, memory, launch } };
}

const inWords = (seconds: number): string => `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
