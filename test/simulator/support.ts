import { RECORDED } from '../../src/published/replications/recorded.js';
import { asPrinted, type ReplicatedFigure } from '../../src/published/replications/replication.js';
import { POLICIES } from '../../src/scheduler/policies/index.js';
import type { Cluster, Pool } from '../../src/simulator/cluster.js';
import type { StepLoad, StepPrice } from '../../src/simulator/price/price.js';
import { randomAt } from '../../src/simulator/random.js';
import type { SimulatedRequest } from '../../src/simulator/request.js';

/** Every step takes as long as every other. */
export const constantPrice = (seconds: number): StepPrice => ({ seconds: () => seconds });

/** A price that depends on all of a step. */
export const priceOf = (begin: number, row: number, key: number, token: number, pair: number): StepPrice => ({
  seconds: ({ decodeRows, decodeKeys, prompts, logitRows }: StepLoad) =>
    begin +
    row * (decodeRows + 0.3 * logitRows) +
    key * decodeKeys +
    prompts.reduce((sum, part) => sum + token * (part.end - part.begin) + pair * (part.end ** 2 - part.begin ** 2), 0),
});

export const pool = (changes: Partial<Pool> = {}): Pool => ({
  name: 'all',
  role: 'both',
  count: 1,
  price: constantPrice(1),
  policy: POLICIES.chunked,
  blocks: 1000,
  blockTokens: 16,
  maxSequences: 64,
  stepTokens: 512,
  depth: 1,
  ...changes,
});

export const cluster = (pools: readonly Pool[], changes: Partial<Cluster> = {}): Cluster => ({
  pools,
  router: { prefill: 'least-requests', decode: 'least-kv' },
  ...changes,
});

/** Requests with exponential gaps. */
export function poisson(
  count: number,
  rate: number,
  seed: number,
  lengths: (index: number) => { readonly promptTokens: number; readonly outputTokens: number },
): SimulatedRequest[] {
  let arrival = 0;
  return Array.from({ length: count }, (_, index) => {
    arrival += -Math.log(1 - randomAt(seed, 'arrivals', index)) / rate;
    return { index, arrival, ...lengths(index) };
  });
}

/** A geometric number of tokens, at least one. */
export const geometric = (mean: number, seed: number, index: number): number =>
  1 + Math.floor(Math.log(1 - randomAt(seed, 'service', index)) / Math.log(1 - 1 / mean));

/** Figures of a replication that are recorded, as they are printed now. */
export function shownAsRecorded(name: string, figures: readonly ReplicatedFigure[]): Record<string, string> {
  const recorded = RECORDED[name as keyof typeof RECORDED] ?? {};
  const now = figures.filter(({ figure }) => figure in recorded);
  return Object.fromEntries(now.map((figure) => [figure.figure, asPrinted(figure)]));
}
