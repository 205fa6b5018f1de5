import { deviation, fsum, max, min, quantileSorted } from 'd3-array';

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
 * Quantiles interpolate linearly between neighbours (R-7 of Hyndman and Fan), as numpy and vLLM do.
 *
 * @throws Error when there is no sample
 */
export function summarize(samples: readonly number[]): Summary {
  return summarizeSorted(ascending(samples));
}

/** Numbers from the smallest up; of millions in a tenth of the time that a list takes. */
export const ascending = (samples: ArrayLike<number>): Float64Array => new Float64Array(samples).sort();

/** The same of samples that are in order already. */
export function summarizeSorted(sorted: Float64Array): Summary {
  if (sorted.length === 0) throw new Error('no samples to summarize');
  const middle = quantile(sorted, 0.5);
  const spread = quantile(sorted, 0.9) - quantile(sorted, 0.1);
  return {
    count: sorted.length,
    mean: meanOf(sorted),
    median: middle,
    p90: quantile(sorted, 0.9),
    p99: quantile(sorted, 0.99),
    std: deviation(sorted) ?? 0,
    min: sorted[0],
    max: sorted[sorted.length - 1],
    spread: middle > 0 ? spread / middle : 0,
  };
}

/** Quantile of sorted numbers, of which there is at least one. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return quantileSorted(sorted as number[], share)!;
}

/** @throws Error when there is no sample */
export function median(samples: readonly number[]): number {
  if (samples.length === 0) throw new Error('no samples to take the median of');
  return quantile(
    [...samples].sort((a, b) => a - b),
    0.5,
  );
}

/** Rounded once, however many they are. */
function meanOf(samples: Iterable<number> & ArrayLike<number>): number {
  return fsum(samples) / samples.length;
}

/** Mean of the absolute relative errors of predictions, in units of the measured value: 0.1 is 10 %. */
export function mape(pairs: readonly { readonly measured: number; readonly predicted: number }[]): number | undefined {
  if (pairs.length === 0) return undefined;
  return meanOf(pairs.map(({ measured, predicted }) => Math.abs(predicted - measured) / measured));
}

/** Bins of a histogram in an octave: edges are 9 % apart, fine enough for times, which differ by ratios. */
const BINS_PER_OCTAVE = 8;
/** In milliseconds; the first bin holds all that is shorter. */
const SHORTEST = 2 ** -7;

/** Counts times in milliseconds in bins of equal ratio, each at least its lower edge and below the next; none is left out. */
export function histogram(samples: readonly number[]): { edges_ms: number[]; counts: number[] } {
  const edge = (bin: number): number => SHORTEST * 2 ** (bin / BINS_PER_OCTAVE);
  const binOf = (value: number): number => {
    if (value < SHORTEST) return -1;
    const bin = Math.floor(BINS_PER_OCTAVE * Math.log2(value / SHORTEST));
    // Logarithms round; the edges decide.
    if (value >= edge(bin + 1)) return bin + 1;
    return value < edge(bin) ? bin - 1 : bin;
  };
  const bins = samples.map(binOf);
  const [first, last] = [min(bins)!, max(bins)!];
  const counts = Array.from({ length: last - first + 1 }, () => 0);
  for (const bin of bins) counts[bin - first]++;
  const edges = Array.from({ length: counts.length + 1 }, (_, at) => (first + at < 0 ? 0 : edge(first + at)));
  return { edges_ms: edges, counts };
}
