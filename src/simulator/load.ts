import { randomAt } from './random.js';
import type { SimulatedRequest } from './request.js';

/** Lengths of one request of a trace. */
export interface RequestLengths {
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/**
 * Requests with exponential gaps whose lengths are drawn from a trace with replacement.
 *
 * @param rate requests a second
 * @param seconds requests arrive until then
 * @param independent prompt and answer are drawn each for itself, as splitwise-sim does; else together, which keeps what
 *   they have to do with each other
 */
export function resampled(
  lengths: readonly RequestLengths[],
  {
    rate,
    seconds,
    seed,
    independent = false,
  }: { readonly rate: number; readonly seconds: number; readonly seed: number; readonly independent?: boolean },
): SimulatedRequest[] {
  const requests: SimulatedRequest[] = [];
  for (let arrival = 0, index = 0; ; index++) {
    arrival += -Math.log(1 - randomAt(seed, 'arrivals', index)) / rate;
    if (arrival >= seconds) return requests;
    const drawn = (which: number): RequestLengths =>
      lengths[Math.floor(randomAt(seed, 'lengths', 2 * index + which) * lengths.length)];
    const prompt = drawn(0);
    const answer = independent ? drawn(1) : prompt;
    requests.push({ index, arrival, promptTokens: prompt.promptTokens, outputTokens: answer.outputTokens });
  }
}
