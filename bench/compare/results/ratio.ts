import { median, quantile } from '../../../src/statistics.js';
import { random } from '../../../src/traffic/random.js';

/** How many times as long something took as something else, and where 95 of 100 repetitions would have put that. */
export interface Ratio {
  readonly value: number;
  /** Absent where a point was measured once only, which says nothing of how it scatters. */
  readonly low?: number;
  readonly high?: number;
}

/** Samples of a point in one result, and in the one that it is compared with. */
export type SamplePair = readonly [own: readonly number[], reference: readonly number[]];

const RESAMPLES = 1000;
const [LOW, HIGH] = [0.025, 0.975];

const geometric = (ratios: readonly number[]): number =>
  Math.exp(ratios.reduce((sum, each) => sum + Math.log(each), 0) / ratios.length);

/**
 * The geometric mean of the ratios of medians, with an interval by resampling each side's repetitions (percentile
 * bootstrap).
 *
 * @param seed equal seeds give equal intervals
 * @returns undefined where a median is 0, of which there is no ratio
 */
export function ratioOf(pairs: readonly SamplePair[], seed: number): Ratio | undefined {
  const ratios = pairs.map(([own, reference]) => median(own) / median(reference));
  if (ratios.length === 0 || ratios.some((each) => !Number.isFinite(each) || each <= 0)) return undefined;
  const value = geometric(ratios);
  if (pairs.some((pair) => pair.some((samples) => samples.length < 2))) return { value };
  const next = random(seed);
  const drawn = (samples: readonly number[]): number =>
    median(samples.map(() => samples[Math.floor(next() * samples.length)]));
  const means = Array.from({ length: RESAMPLES }, () =>
    geometric(pairs.map(([own, reference]) => drawn(own) / drawn(reference))),
  ).sort((a, b) => a - b);
  return { value, low: quantile(means, LOW), high: quantile(means, HIGH) };
}
