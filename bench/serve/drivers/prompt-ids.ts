import { seedOf } from '../../../src/seed.js';
import { randomIds } from '../../prompts.js';
import type { PlannedRequest, Workload } from '../../../src/traffic/workload.js';

/**
 * Makes the prompts of a workload as token ids: random after the shared prefix, and different for each request, so that
 * no other prompt is found in a cache.
 */
export function idPrompts(
  vocab: number,
  { seed, sharedPrefix }: Pick<Workload, 'seed' | 'sharedPrefix'>,
): (request: PlannedRequest) => number[] {
  const prefix = randomIds(vocab, sharedPrefix, seedOf(`${seed} prefix`));
  return ({ index, promptTokens }) => {
    const own = Math.max(promptTokens - prefix.length, 0);
    return [...prefix.slice(0, promptTokens), ...randomIds(vocab, own, seedOf(`${seed} prompt ${index}`))];
  };
}
