/** Measures of a whole request that a goal can be set for, under vLLM's names. */
export const RATED = ['ttft', 'tpot', 'e2el'] as const;
export type Rated = (typeof RATED)[number];

/** What one request took, in milliseconds. */
export interface Latencies {
  readonly ttft: number;
  /** (E2E - TTFT) / (n - 1); undefined for a single token. */
  readonly tpot: number | undefined;
  /** Until the last token. */
  readonly e2el: number;
}
