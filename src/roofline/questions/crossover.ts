import type { Predictor } from '../predict/predictor.js';

export interface Crossover {
  readonly outputTokens: number;
  /** Shortest prompt whose prefill takes at least as long as decoding the output after it. */
  readonly promptTokens: number | undefined;
  /** Prefill over decode at both ends of the range, to see how far off it is where there is no crossing. */
  readonly shareAtShortest: number;
  readonly shareAtLongest: number;
  readonly range: readonly [number, number];
}

/**
 * Where a request turns from one of decoding into one of prefill. The prompt's cost grows faster than linearly and the
 * decode's at most linearly, so there is at most one crossing upwards; it need not be in range.
 *
 * @param range shortest and longest prompt to consider, each longer than what is cached
 * @param cachedTokens of each prompt that are in the cache already
 */
export function crossover(
  predictor: Predictor,
  outputTokens: number,
  range: readonly [number, number],
  batch = 1,
  cachedTokens = 0,
): Crossover {
  const share = (promptTokens: number): number =>
    predictor.prefillSeconds(promptTokens - cachedTokens, batch, cachedTokens) /
    predictor.decodeSeconds(promptTokens, outputTokens, batch);
  const [shareAtShortest, shareAtLongest] = range.map(share);
  let promptTokens: number | undefined;
  if (shareAtShortest >= 1) promptTokens = range[0];
  else if (shareAtLongest >= 1) {
    let [below, above] = range;
    while (above - below > 1) {
      const middle = Math.floor((below + above) / 2);
      if (share(middle) >= 1) above = middle;
      else below = middle;
    }
    promptTokens = above;
  }
  return { outputTokens, promptTokens, shareAtShortest, shareAtLongest, range };
}
