import { randomAt } from './random.js';

export const ROUTING = ['round-robin', 'random', 'least-requests', 'least-tokens', 'least-kv'] as const;
export type Routing = (typeof ROUTING)[number];

/** What a router knows of a machine. */
export interface Load {
  /** Requests it has taken and not ended. */
  readonly requests: number;
  /** Prompt tokens it has taken and not computed. */
  readonly promptTokens: number;
  /** Tokens of the cache spoken for by requests it has taken, whole lives counted. */
  readonly cacheTokens: number;
}

/** Chooses machines by one rule. Of equals the first is taken, so that a run repeats. */
export class Router {
  #turns = 0;
  readonly #routing: Routing;
  readonly #seed: number;

  constructor(routing: Routing, seed: number) {
    this.#routing = routing;
    this.#seed = seed;
  }

  /** The place of the machine chosen of those given, of which there must be one. */
  choose(loads: readonly Load[]): number {
    const turn = this.#turns++;
    switch (this.#routing) {
      case 'round-robin':
        return turn % loads.length;
      case 'random':
        return Math.floor(randomAt(this.#seed, 'routing', turn) * loads.length);
      case 'least-requests':
        return leastBy(loads, ({ requests }) => requests);
      case 'least-tokens':
        return leastBy(loads, ({ promptTokens }) => promptTokens);
      case 'least-kv':
        return leastBy(loads, ({ cacheTokens }) => cacheTokens);
    }
  }
}

function leastBy(loads: readonly Load[], value: (load: Load) => number): number {
  let best = 0;
  for (let at = 1; at < loads.length; at++) if (value(loads[at]) < value(loads[best])) best = at;
  return best;
}
