import { quantile } from '../../src/statistics.js';

/**
 * What stands for the samples of a point. What other programs and other guests of the host take away from the cores
 * comes in bursts that nothing about the model could predict, and only ever adds; so the lower decile is what is
 * compared and what a calibration is fitted to, and the median, in which company shows, stands beside it in results.
 */
export const STATISTICS = ['decile', 'median', 'fastest'] as const;
export type Statistic = (typeof STATISTICS)[number];
export const DEFAULT_STATISTIC: Statistic = 'decile';

const SHARE: Record<Statistic, number> = { decile: 0.1, median: 0.5, fastest: 0 };

/** For texts: `the lower decile of the repetitions`. */
export const IN_WORDS: Record<Statistic, string> = {
  decile: 'lower decile',
  median: 'median',
  fastest: 'fastest',
};

export const represent = (samples: readonly number[], statistic: Statistic): number =>
  quantile(
    [...samples].sort((a, b) => a - b),
    SHARE[statistic],
  );

/**
 * How strongly each phase feels what slows the fixed kernel: where that takes f times as long, a step takes f to the power
 * of this.
 */
export interface Felt {
  readonly prompts: number;
  readonly tokens: number;
}

/** The pace that measurements are brought to: milliseconds of the fixed kernel, and how strongly it is felt. */
export interface ReferencePace {
  readonly referenceMs: number;
  readonly felt: Felt;
}

/**
 * What stands for samples brought to a pace: each divided by how much longer than then a fixed kernel took just before
 * and after it, as far as that is felt. That takes away what others did, which only ever adds, and leaves the kernel's own
 * noise, which does not: the median counts. Undefined where the pace is not known of each sample.
 *
 * @param paces milliseconds of the fixed kernel beside each sample
 */
export function broughtToPace(
  samples: readonly number[],
  paces: readonly number[] | undefined,
  reference: ReferencePace | undefined,
  phase: keyof Felt,
): number | undefined {
  if (reference === undefined || paces?.length !== samples.length) return undefined;
  const { referenceMs, felt } = reference;
  return represent(
    samples.map((sample, at) => sample * (referenceMs / paces[at]) ** felt[phase]),
    'median',
  );
}
