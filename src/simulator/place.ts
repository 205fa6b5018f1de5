import { Scheduler } from '../engine/scheduler.js';
import type { BatchShape } from '../model/operations.js';
import type { Pool } from './cluster.js';
import type { Machine } from './machine.js';
import type { StepLoad } from './price/price.js';
import type { Load } from './router.js';

/** A machine with what the router sees of it. */
export interface Place extends Load {
  readonly at: number;
  readonly pool: Pool;
  readonly machine: Machine;
  requests: number;
  promptTokens: number;
  cacheTokens: number;
}

/** Whether a request can ever run on a machine of a pool. @param tokens it needs in the cache at the end of its life */
export const holds = ({ blocks, blockTokens }: Pool, tokens: number): boolean => tokens <= blocks * blockTokens;

/** The engine's scheduler, as a machine of the pool has it. */
export function schedulerOf(pool: Pool): Scheduler {
  const { maxSequences: sequences, blocks, blockTokens, stepTokens, chunk, policy, decodeSloMs, price } = pool;
  const limits = { sequences, blocks, blockTokens, stepTokens, chunk };
  return new Scheduler(limits, { policy, decodeSloMs, cost: (batch) => 1000 * price.seconds(loadOfShape(batch)) });
}

/** A step that a policy thinks of, as prices see steps. */
function loadOfShape({ sequences, logitRows }: BatchShape): StepLoad {
  const rows = sequences.filter(({ newTokens }) => newTokens === 1);
  return {
    decodeRows: rows.length,
    decodeKeys: rows.reduce((sum, { context }) => sum + context + 1, 0),
    prompts: sequences.flatMap(({ context, newTokens }) =>
      newTokens > 1 ? [{ begin: context, end: context + newTokens }] : [],
    ),
    logitRows,
  };
}
