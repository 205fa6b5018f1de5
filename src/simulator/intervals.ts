/** Upper quantiles of Student's distribution at 97.5 %, by degrees of freedom from 1 (any table of statistics). */
const T = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/** A mean over runs of different seeds. `half` is half of its 95 % interval; undefined for a single run. */
export interface MeanOfRuns {
  readonly mean: number;
  readonly half: number | undefined;
}

export function meanOfRuns(values: readonly number[]): MeanOfRuns {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length < 2) return { mean, half: undefined };
  const degrees = values.length - 1;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / degrees;
  return { mean, half: (T[degrees - 1] ?? 1.96) * Math.sqrt(variance / values.length) };
}
