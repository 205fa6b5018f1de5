import { RidgepointError } from '../errors.js';
import { memoryOf, usableBytes } from '../roofline/hardware/memory.js';
import type { Predictor } from '../roofline/predict/predictor.js';
import type { Policy } from '../scheduler/policies/policy.js';
import { DEFAULT_POLICY, POLICIES } from '../scheduler/policies/index.js';
import type { Pool, Role, Transfer } from './cluster.js';
import { PredictedPrice } from './price/predicted.js';
import type { StepPrice } from './price/price.js';

/** What is to be said of a pool beside the predictor of its machines. */
export interface MachinePool {
  readonly name: string;
  readonly role: Role;
  readonly count: number;
  readonly policy?: Policy;
  readonly decodeSloMs?: number;
  /** Absent: what the predictor says. */
  readonly price?: StepPrice;
  readonly stepTokens?: number;
  readonly chunk?: number;
  readonly maxSequences?: number;
  /** Absent: what memory leaves beside the weights. */
  readonly kvTokens?: number;
  /** Absent: 16, and 1 on a machine that serves one request at a time, which needs no pages. */
  readonly blockTokens?: number;
  readonly depth?: number;
  /** Of each chip. */
  readonly linkBytesPerSecond?: number;
}

/** Tokens of a block of the cache: those of this engine, which simulations need not load, and of vLLM. */
export const USUAL_BLOCK_TOKENS = 16;

/** A pool of machines that a predictor describes. @throws RidgepointError where the weights leave no room for a cache */
export function machinePool(predictor: Predictor, pool: MachinePool): Pool {
  const { name, role, count, policy = POLICIES[DEFAULT_POLICY], decodeSloMs } = pool;
  const { blockTokens = predictor.hardware.maxBatch === 1 ? 1 : USUAL_BLOCK_TOKENS } = pool;
  const { linkBytesPerSecond: link, kvTokens = cacheTokens(predictor, name) } = pool;
  return {
    name,
    role,
    count,
    price: pool.price ?? new PredictedPrice(predictor),
    policy,
    decodeSloMs,
    blocks: Math.floor(kvTokens / blockTokens),
    blockTokens,
    maxSequences: Math.min(pool.maxSequences ?? 256, predictor.hardware.maxBatch ?? Infinity),
    stepTokens: pool.stepTokens ?? 2048,
    chunk: pool.chunk,
    depth: pool.depth ?? 1,
    ...(link !== undefined && { linkBytesPerSecond: link * predictor.chips }),
  };
}

/** How keys and values travel, of the model that a predictor is of. */
export function transferOf(
  predictor: Predictor,
  transfer: Pick<Transfer, 'latency' | 'mode' | 'overlap' | 'shared' | 'firstTokenAt'>,
): Transfer {
  return { ...transfer, bytesPerToken: memoryOf(predictor, 1, 1).kvBytesPerToken, layers: predictor.model.layers };
}

/** Tokens of cache that a machine's memory leaves beside the weights. @throws RidgepointError naming the pool */
export function cacheTokens(predictor: Predictor, name: string): number {
  const { weightBytes, kvBytesPerToken } = memoryOf(predictor, 1, 1);
  const { hardware, chips, model } = predictor;
  if (!Number.isFinite(hardware.capacityBytes)) {
    throw new RidgepointError('usage', `pool ${name}: the memory of ${hardware.name} is not known; say kv_tokens`);
  }
  const usable = usableBytes(hardware) * chips;
  const tokens = Math.floor((usable - weightBytes) / kvBytesPerToken);
  if (tokens < 1) {
    throw new RidgepointError(
      'usage',
      `pool ${name}: the weights of ${model.name} take ${gigabytes(weightBytes)} and ${chips} x ${hardware.name} have ${gigabytes(usable)} to use; take more chips or smaller weights`,
    );
  }
  return tokens;
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
