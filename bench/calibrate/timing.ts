import { quantile } from '../../src/statistics.js';

/** A measured duration in seconds: the least disturbed runs decide a ceiling, the spread says how noisy it was. */
export interface CeilingTiming {
  readonly best: number;
  readonly median: number;
  /** (p90 - p10) / median. */
  readonly spread: number;
}

export function summariseTimings(seconds: readonly number[]): CeilingTiming {
  const sorted = [...seconds].sort((a, b) => a - b);
  const at = (share: number): number => quantile(sorted, share);
  return { best: sorted[0], median: at(0.5), spread: (at(0.9) - at(0.1)) / at(0.5) };
}

/** Something that can be timed again and again. */
export interface TimedRun {
  readonly name: string;
  /** Seconds of one run. */
  run(): Promise<number>;
}

/**
 * Runs all in turn, then all again: a machine whose pace drifts does so for all alike. The first round warms up.
 *
 * @param least rounds that count; more follow until the budget is spent
 */
export async function inRounds(
  list: readonly TimedRun[],
  { least = 5, most = 200, budgetMs = 5000, onProgress }: InRounds = {},
): Promise<Map<TimedRun, CeilingTiming>> {
  const seconds = new Map(list.map((timed) => [timed, [] as number[]]));
  const began = performance.now();
  for (let round = 0; round <= least || (round <= most && performance.now() - began < budgetMs); round++) {
    for (const timed of list) {
      onProgress?.(timed.name);
      const once = await timed.run();
      if (round > 0) seconds.get(timed)!.push(once);
    }
  }
  return new Map([...seconds].map(([timed, samples]) => [timed, summariseTimings(samples)]));
}

interface InRounds {
  readonly least?: number;
  readonly most?: number;
  readonly budgetMs?: number;
  readonly onProgress?: (name: string) => void;
}

/** A launch must take this long for its submission not to count. */
const LONG_ENOUGH = 0.02;
const MOST_TURNS = 1 << 24;

/**
 * Finds how many turns a loop in a shader must take for one launch to be long enough to time.
 *
 * @param launchOf prepares a launch of so many turns
 */
export async function longEnough<T>(
  first: number,
  launchOf: (turns: number) => { value: T; seconds: () => Promise<number>; free: () => void },
): Promise<{ value: T; turns: number }> {
  for (let turns = first; ; turns *= 4) {
    const { value, seconds, free } = launchOf(turns);
    await seconds();
    if ((await seconds()) >= LONG_ENOUGH || turns >= MOST_TURNS) return { value, turns };
    free();
  }
}
