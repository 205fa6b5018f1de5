import { decide, settle, typical, usualWinners, type Contest, type Samples } from './contest.js';
import type { TunedEntry } from './file.js';

/** What measures: a GPU, or a test's pretence of one. */
export interface Laboratory {
  /** Milliseconds. */
  now(): number;
  /**
   * Makes a contest's data and kernels, and lets go of them when `body` is done.
   *
   * @param body gets what can be done with them
   */
  open<T>(contest: Contest, body: (bench: LaboratoryBench) => Promise<T>): Promise<T>;
  /** The error for a contest of which no candidate is right. @param dropped what is wrong with one */
  hopeless(contest: Contest, dropped: TunedEntry['dropped'][number]): Error;
}

export interface LaboratoryBench {
  /**
   * Runs candidates on random data and compares them with the reference.
   *
   * @param only these; all when absent
   * @returns name and reason of each that is wrong
   */
  check(only?: readonly string[]): Promise<TunedEntry['dropped']>;
  /** Times launches in turns. @param budgetMs about how long that may take */
  time(caseId: string, names: readonly string[], budgetMs: number): Promise<Samples>;
}

export interface TuneOptions {
  /** Milliseconds for all contests together. */
  readonly budgetMs: number;
  /** Measure what is known too. */
  readonly force?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number, key: string) => void;
  /** Called with all that is known when a contest has ended. */
  readonly onEntry?: (entries: Readonly<Record<string, TunedEntry>>) => Promise<void>;
}

export interface TuneOutcome {
  /** All that is known of these contests, what was known before included. */
  readonly entries: Record<string, TunedEntry>;
  /** Whether anything is new. */
  readonly changed: boolean;
}

/** Whether an entry was made with the kernels there are now, and names what may be used together. */
export function holdsChoice(contest: Contest, entry: TunedEntry | undefined): entry is TunedEntry {
  if (entry?.fingerprint !== contest.fingerprint) return false;
  const orders = contest.cases.map(
    ({ id }) => contest.candidates.find(({ name }) => name === entry.winners[id])?.order,
  );
  return orders.every((order) => order !== undefined && order === orders[0]);
}

/**
 * Chooses variants for contests, the most important first, until time runs out; those left over keep the usual ones,
 * and that is written down too, so that a later run does not choose otherwise. A candidate that does not agree with the
 * reference never wins; the usual ones are compared with it even when there is no time left.
 *
 * @throws Error of the laboratory's when no candidate of a contest is right
 */
export async function tune(
  laboratory: Laboratory,
  contests: readonly Contest[],
  known: Readonly<Record<string, TunedEntry>>,
  { budgetMs, force = false, signal, onProgress, onEntry }: TuneOptions,
): Promise<TuneOutcome> {
  const end = laboratory.now() + budgetMs;
  const entries: Record<string, TunedEntry> = {};
  const open = contests.filter((contest) => {
    const entry = known[contest.key];
    if (!holdsChoice(contest, entry)) return true;
    entries[contest.key] = entry;
    return force;
  });
  for (const [i, contest] of open.entries()) {
    signal?.throwIfAborted();
    onProgress?.(i, open.length, contest.key);
    const left = end - laboratory.now();
    // A known result is better than none that is new.
    if (left <= 0) entries[contest.key] ??= await untimed(laboratory, contest);
    else entries[contest.key] = await compete(laboratory, contest, left / (open.length - i));
    await onEntry?.(entries);
  }
  onProgress?.(open.length, open.length, '');
  return { entries, changed: open.length > 0 };
}

/** The usual candidates, which only have to be right; where one is not, those that are compete after all. */
async function untimed(laboratory: Laboratory, contest: Contest): Promise<TunedEntry> {
  const usual = [...new Set(contest.cases.map((each) => each.usual))];
  const dropped = await laboratory.open(contest, (bench) => bench.check(usual));
  if (dropped.length > 0) return compete(laboratory, contest, 0);
  return { fingerprint: contest.fingerprint, measured: false, winners: usualWinners(contest), ms: {}, dropped: [] };
}

/** What is this many times slower than the best in one case is not timed in the next. */
const FAR_BEHIND = 4;

/** @param shareMs this contest's part of the time left */
function compete(laboratory: Laboratory, contest: Contest, shareMs: number): Promise<TunedEntry> {
  const shareEnd = laboratory.now() + shareMs;
  return laboratory.open(contest, async (bench) => {
    const dropped = await bench.check();
    const ms: TunedEntry['ms'] = {};
    const times: Record<string, Record<string, number>> = {};
    const beaten = new Set<string>();
    for (const [i, { id, names, usual }] of contest.cases.entries()) {
      // Choosing an order needs every case, so a contest that was begun is ended, in a few samples if need be.
      const takesPart = (name: string): boolean =>
        dropped.every((each) => each.name !== name) && (name === usual || !beaten.has(name));
      const budget = Math.max(0, shareEnd - laboratory.now()) / (contest.cases.length - i);
      const samples = await bench.time(id, names.filter(takesPart), budget);
      times[id] = settle(samples, usual);
      const best = Math.min(...Object.values(times[id]));
      for (const [name, seconds] of Object.entries(times[id])) if (seconds > FAR_BEHIND * best) beaten.add(name);
      ms[id] = Object.fromEntries(Object.entries(samples).map(([name, rounds]) => [name, 1000 * typical(rounds)]));
    }
    const winners = decide(contest, times);
    const wrong = Object.values(winners).find((name) => dropped.some((each) => each.name === name));
    if (wrong !== undefined)
      throw laboratory.hopeless(
        contest,
        dropped.find(({ name }) => name === wrong)!,
      );
    return { fingerprint: contest.fingerprint, measured: true, winners, ms, dropped };
  });
}
