import type { SplitwisePrice } from './profile.js';
import type { SplitwiseTimes } from './simulate.js';

/** How many times as long requests took as alone, in the order of the requests. */
export interface Slowdowns {
  readonly ttft: readonly number[];
  readonly tbt: readonly number[];
}

/**
 * Slowdowns as splitwise-sim's notebooks take them: against the reference machine's times of the prompt alone, and of a
 * token of a batch that has this prompt, both from its table. The token's is measured with a context, and what is held
 * against it is looked up without: a request that is alone comes to a little less than 1.
 */
export function slowdownsOf(times: readonly SplitwiseTimes[], reference: SplitwisePrice): Slowdowns {
  return {
    ttft: times.map(({ ttft, promptTokens }) => ttft / reference.promptSeconds(promptTokens)),
    tbt: times.map(({ tbt, promptTokens }) => tbt / reference.tokenSeconds(promptTokens)),
  };
}
