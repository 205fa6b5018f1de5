import type { Predictor } from './predictor.js';

/** Share of memory that weights and cache may take; the rest is for activations, the driver and fragments. */
export const USABLE = 0.9;

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
  const { model, hardware, precision, chips } = predictor;
  const { headParameters = 0 } = model;
  const { headBytes = precision.weightBytes } = precision;
  const weightBytes = (model.parameters - headParameters) * precision.weightBytes + headParameters * headBytes;
  // Chips beyond the number of KV heads keep copies.
  const copies = Math.max(1, chips / model.kvShards);
  const { kvBytes: numberBytes, kvScaleBytes = 0 } = precision;
  const kvBytesPerToken = (model.kvElements * numberBytes + model.kvScales * kvScaleBytes) * copies;
  const kvBytes = kvBytesPerToken * tokens * batch;
  const capacityBytes = hardware.capacityBytes * chips;
  const known = Number.isFinite(capacityBytes);
  const room = Math.max(0, USABLE * capacityBytes - weightBytes);
  const contextInMemory = room / (kvBytesPerToken * batch);
  const mostBatch = hardware.maxBatch ?? Infinity;
  return {
    weightBytes,
    kvBytesPerToken,
    kvBytes,
    capacityBytes,
    utilisation: known ? (weightBytes + kvBytes) / capacityBytes : undefined,
    fits: weightBytes + kvBytes <= USABLE * capacityBytes && batch <= mostBatch,
    largestBatch: known ? Math.min(mostBatch, Math.floor(room / (kvBytesPerToken * tokens))) : undefined,
    largestContext: known ? Math.min(model.maxPositions, Math.floor(contextInMemory)) : undefined,
    contextBound: contextInMemory < model.maxPositions ? 'memory' : 'model',
  };
}
