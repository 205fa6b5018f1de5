import { Scheduler } from '../scheduler/scheduler.js';
import { loadOfShape, type StepLoad } from '../scheduler/step-load.js';
import type { Cluster, Pool, Role } from './cluster.js';
import type { Machine } from './machine.js';
import type { Load } from './router.js';

/** A machine with what the router sees of it. */
export interface Place extends Load {
  readonly at: number;
  readonly pool: Pool;
  readonly machine: Machine;
  /** What it does now, and what once all it has is done, where that is another. */
  role: Role;
  next: Role | undefined;
  requests: number;
  promptTokens: number;
  cacheTokens: number;
  /** Tokens of requests that are to decode here and have no blocks yet. */
  pendingTokens: number;
}

/** Whether a request can ever run on a machine of a pool. @param tokens it needs in the cache at the end of its life */
export const placeHolds = ({ blocks, blockTokens }: Pool, tokens: number): boolean => tokens <= blocks * blockTokens;

/** What a machine of each pool has, for who does not fit. */
export const rooms = ({ pools }: Cluster): string =>
  pools.map(({ name, blocks, blockTokens }) => `a machine of ${name} has ${blocks * blockTokens}`).join(', ');

/** The engine's scheduler, as a machine of the pool has it. */
export function schedulerOf(pool: Pool): Scheduler {
  const { maxSequences: sequences, blocks, blockTokens, stepTokens, chunk, policy, decodeSloMs, price } = pool;
  const limits = { sequences, blocks, blockTokens, stepTokens, chunk };
  const expected = (load: StepLoad): number => price.expected?.(load) ?? price.seconds(load);
  return new Scheduler(limits, { policy, decodeSloMs, cost: (batch) => 1000 * expected(loadOfShape(batch)) });
}
