import type { Hardware } from './hardware.js';
import type { Predictor } from '../predict/predictor.js';

/** Usual share of memory that weights and cache may take; the rest is for activations, the driver and fragments. */
export const USABLE = 0.9;

/**
 * What a GPU may take of memory that it shares with the host. macOS lets Metal have about two thirds of up to 36 GB and
 * three quarters of more (`recommendedMaxWorkingSetSize`); other systems are set up alike.
 */
const SHARED_SHARE = 0.75;
const SMALL_SHARED = { bytes: 36 * 2 ** 30, share: 0.7 };

/** Bytes of one chip's memory that weights and cache may take. */
export function usableBytes({ capacityBytes, usableShare, sharedMemory = false, sharedShare }: Hardware): number {
  if (!sharedMemory) return (usableShare ?? USABLE) * capacityBytes;
  return (sharedShare ?? (capacityBytes <= SMALL_SHARED.bytes ? SMALL_SHARED.share : SHARED_SHARE)) * capacityBytes;
}

/** Memory of a deployment, in bytes over all its chips. */
export interface Memory {
  readonly weightBytes: number;
  readonly kvBytesPerToken: number;
  readonly kvBytes: number;
  readonly capacityBytes: number;
  /** Weights and cache, of the capacity; undefined where that is not known. */
  readonly utilisation: number | undefined;
  readonly fits: boolean;
  /** Most sequences of this length at once, and the longest sequence at this batch; 0 where weights do not fit. */
  readonly largestBatch: number | undefined;
  readonly largestContext: number | undefined;
  /** What `largestContext` is bounded by: memory, or the positions the model was made for. */
  readonly contextBound: 'memory' | 'model';
}

/** What `batch` sequences of `tokens` tokens need, and what would fit. */
export function memoryOf(predictor: Predictor, tokens: number, batch: number): Memory {
  const { model, hardware, precision, chips, shards } = predictor;
  const { headParameters = 0 } = model;
  const { headBytes = precision.weightBytes } = precision;
  const weightBytes = (model.parameters - headParameters) * precision.weightBytes + headParameters * headBytes;
  // Chips beyond the number of KV heads keep copies.
  const copies = Math.max(1, shards / model.kvShards);
  const { kvBytes: numberBytes, kvScaleBytes = 0 } = precision;
  const kvBytesPerToken = (model.kvElements * numberBytes + model.kvScales * kvScaleBytes) * copies;
  const kvBytes = kvBytesPerToken * tokens * batch;
  const capacityBytes = hardware.capacityBytes * chips;
  const known = Number.isFinite(capacityBytes);
  const usable = usableBytes(hardware) * chips;
  const room = Math.max(0, usable - weightBytes);
  const contextInMemory = room / (kvBytesPerToken * batch);
  const mostBatch = hardware.maxBatch ?? Infinity;
  return {
    weightBytes,
    kvBytesPerToken,
    kvBytes,
    capacityBytes,
    utilisation: known ? (weightBytes + kvBytes) / capacityBytes : undefined,
    fits: weightBytes + kvBytes <= usable && batch <= mostBatch,
    largestBatch: known ? Math.min(mostBatch, Math.floor(room / (kvBytesPerToken * tokens))) : undefined,
    largestContext: known ? Math.min(model.maxPositions, Math.floor(contextInMemory)) : undefined,
    contextBound: contextInMemory < model.maxPositions ? 'memory' : 'model',
  };
}
