/**
 * What stands for the samples of a point. `fastest` is for machines whose cores other programs share: what they take
 * away differs from minute to minute and is nothing a prediction could know.
 */
export const STATISTICS = ['median', 'fastest'] as const;
export type Statistic = (typeof STATISTICS)[number];
