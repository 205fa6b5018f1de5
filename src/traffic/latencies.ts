import type { RequestRecord } from './record.js';

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

/** @param request one in which a token arrived */
export function latenciesOf({ arrivalsMs, outputTokens }: RequestRecord): Latencies {
  const ttft = arrivalsMs[0];
  const e2el = arrivalsMs.at(-1)!;
  return {
    ttft,
    tpot: outputTokens > 1 ? (e2el - ttft) / (outputTokens - 1) : undefined,
    e2el,
  };
}

/**
 * The gap before each arrival but the first, of all requests in milliseconds. Tokens that came together count as one
 * arrival, as in vLLM's harness.
 */
export function gapsOf(requests: readonly RequestRecord[]): Float64Array {
  const gaps = new Float64Array(requests.reduce((sum, { arrivalsMs }) => sum + Math.max(0, arrivalsMs.length - 1), 0));
  let count = 0;
  for (const { arrivalsMs } of requests) {
    for (let at = 1; at < arrivalsMs.length; at++) gaps[count++] = arrivalsMs[at] - arrivalsMs[at - 1];
  }
  return gaps;
}
