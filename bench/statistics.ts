import { max, mean, median, min, sampleStandardDeviation } from 'simple-statistics';

/** What a list of samples is summed up to. No sample is left out, outliers included. */
export interface Summary {
  readonly count: number;
  readonly mean: number;
  readonly median: number;
  readonly p90: number;
  readonly p99: number;
  /** Of a sample (n - 1); 0 for a single one. */
  readonly std: number;
  readonly min: number;
  readonly max: number;
  /** (p90 - p10) / median: how far the middle of the samples is apart. */
  readonly spread: number;
}

/**
 * Quantiles interpolate linearly between neighbours, as numpy and vLLM do.
 *
 * @throws Error when there is no sample
 */
export function summarize(samples: readonly number[]): Summary {
  if (samples.length === 0) throw new Error('no samples to summarize');
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = median(sorted);
  const spread = quantile(sorted, 0.9) - quantile(sorted, 0.1);
  return {
    count: sorted.length,
    mean: mean(sorted),
    median: middle,
    p90: quantile(sorted, 0.9),
    p99: quantile(sorted, 0.99),
    std: sorted.length > 1 ? sampleStandardDeviation(sorted) : 0,
    min: min(sorted),
    max: max(sorted),
    spread: middle > 0 ? spread / middle : 0,
  };
}

/** Quantile of sorted numbers; the library's own takes the nearest sample, which few repetitions are too coarse for. */
export function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

/** Mean of the absolute relative errors of predictions, in units of the measured value: 0.1 is 10 %. */
export function mape(pairs: readonly { readonly measured: number; readonly predicted: number }[]): number | undefined {
  if (pairs.length === 0) return undefined;
  return mean(pairs.map(({ measured, predicted }) => Math.abs(predicted - measured) / measured));
}
