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
