import type { SimulatedRequest } from '../request.js';
import { MersenneTwister } from './mersenne-twister.js';

export interface SplitwiseTraceOptions {
  /** Requests a second. */
  readonly rate: number;
  /** Seconds. */
  readonly duration: number;
  readonly seed: number;
  /** Requests drawn before those after the end are dropped: all draws of one kind come before those of the next. */
  readonly drawn?: number;
}

/**
 * Requests as splitwise-sim's `generate_trace.py` draws them after `numpy.random.seed(seed)`: exponential gaps, then
 * lengths of prompts, then lengths of answers, each for itself: what belonged together in the trace is torn apart.
 *
 * @param lengths prompts and answers of the trace drawn from, at least one
 */
export function splitwiseTrace(
  lengths: readonly { readonly promptTokens: number; readonly outputTokens: number }[],
  { rate, duration, seed, drawn = 1_000_000 }: SplitwiseTraceOptions,
): SimulatedRequest[] {
  const random = new MersenneTwister(seed);
  const arrivals: number[] = [];
  const scale = 1 / rate;
  for (let index = 0, arrival = 0; index < drawn; index++) {
    arrival += random.exponential() * scale;
    if (arrival < duration) arrivals.push(arrival);
  }
  const places = Array.from({ length: drawn }, () => random.below(lengths.length));
  return arrivals.map((arrival, index) => ({
    index,
    arrival,
    promptTokens: lengths[places[index]].promptTokens,
    outputTokens: lengths[random.below(lengths.length)].outputTokens,
  }));
}
