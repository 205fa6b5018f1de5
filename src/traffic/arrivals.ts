import type { Draws } from './draws.js';

/**
 * When requests come, besides traces:
 *
 * - `poisson`: independent of each other, exponential gaps;
 * - `gamma`: gaps of the given shape; below 1 they come in bursts, above 1 more evenly;
 * - `constant`: equal gaps;
 * - `closed`: all are there from the beginning, and a limit on concurrency lets the next in when one leaves.
 */
export type Arrivals =
  | { readonly kind: 'poisson' | 'constant'; readonly rate: number }
  | { readonly kind: 'gamma'; readonly rate: number; readonly burstiness: number }
  | { readonly kind: 'closed' };

/** Coefficient of variation of gamma gaps of this shape, and back: cv = 1 / sqrt(shape). */
export const cvOf = (burstiness: number): number => 1 / Math.sqrt(burstiness);
export const burstinessOf = (cv: number): number => 1 / (cv * cv);

/**
 * Milliseconds since the beginning at which `count` requests arrive, in order. Random gaps are scaled so that the last
 * one arrives at `count / rate`, as vLLM's harness does: two seeds then differ in their bursts and not in their load.
 */
export function arrivalTimes(arrivals: Arrivals, count: number, draws: Draws): number[] {
  if (arrivals.kind === 'closed' || arrivals.rate === Infinity) return new Array<number>(count).fill(0);
  const gap = gapsOf(arrivals, draws);
  let at = 0;
  const times = Array.from({ length: count }, () => (at += gap()));
  const scale = (1000 * count) / arrivals.rate / at;
  return times.map((time) => time * scale);
}

/** Gaps in no unit; the caller scales them. */
function gapsOf(arrivals: Exclude<Arrivals, { kind: 'closed' }>, draws: Draws): () => number {
  switch (arrivals.kind) {
    case 'constant':
      return () => 1;
    case 'poisson':
      return () => draws.exponential(1);
    case 'gamma':
      return () => draws.gamma(arrivals.burstiness);
  }
}
