import type { Request } from '../predict/predict.js';
import type { Predictor } from '../predict/predictor.js';

/** How a cache gets from where a prompt is processed to where its answer is. */
export interface Network {
  /** Of all chips of a machine together. */
  readonly bytesPerSecond: number;
  readonly latencySeconds: number;
}

/** A request whose phases run on two platforms, or on one; times of a batch that goes through together. */
export interface SplitRequest {
  readonly prefillSeconds: number;
  /** 0 where both phases run on one platform. */
  readonly transferSeconds: number;
  readonly decodeSeconds: number;
  readonly e2eSeconds: number;
  readonly kvBytes: number;
}

/** Bytes of cache that a prompt of so many tokens leaves behind. */
export function kvBytesOf({ model, precision }: Predictor, tokens: number): number {
  return tokens * (model.kvElements * precision.kvBytes + model.kvScales * (precision.kvScaleBytes ?? 0));
}

/**
 * Prefill on one platform, decode on another; the cache is sent when prefill is done.
 *
 * @param network undefined where both phases run on one platform
 */
export function splitRequest(
  prefill: Predictor,
  decode: Predictor,
  { promptTokens, outputTokens, batch = 1, cachedTokens = 0 }: Request,
  network: Network | undefined,
): SplitRequest {
  const prefillSeconds = prefill.prefillSeconds(promptTokens - cachedTokens, batch, cachedTokens);
  const decodeSeconds = decode.decodeSeconds(promptTokens, outputTokens - 1, batch);
  const kvBytes = batch * kvBytesOf(prefill, promptTokens);
  const transferSeconds = network === undefined ? 0 : network.latencySeconds + kvBytes / network.bytesPerSecond;
  return {
    prefillSeconds,
    transferSeconds,
    decodeSeconds,
    e2eSeconds: prefillSeconds + transferSeconds + decodeSeconds,
    kvBytes,
  };
}
