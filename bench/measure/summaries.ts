import { summarize } from '../../src/statistics.js';

type Measure = 'ttft' | 'tpot' | 'itl' | 'e2el';
type Summarized<Name extends Measure> = Record<
  `${'mean' | 'median' | 'p90' | 'p99' | 'std'}_${Name}_ms` | `spread_${Name}`,
  number
>;

/** A summary of milliseconds under vLLM's names. */
export function namedSummaries<Name extends Measure>(name: Name, samples: readonly number[]): Summarized<Name> {
  const { mean, median, p90, p99, std, spread } = summarize(samples);
  return {
    [`mean_${name}_ms`]: mean,
    [`median_${name}_ms`]: median,
    [`p90_${name}_ms`]: p90,
    [`p99_${name}_ms`]: p99,
    [`std_${name}_ms`]: std,
    [`spread_${name}`]: spread,
  } as Summarized<Name>;
}
