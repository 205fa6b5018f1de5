/** Ridgepoint for browsers: a Llama inference engine on WebGPU. */
import { RidgepointError } from '../../errors.js';
import type { BrowserEngine, BrowserEngineOptions, BrowserModelSize } from './api.js';
import type { LoadRequest } from './calls.js';
import { isRemote, wantedModel } from './models/names.js';
import { findSeat } from './place.js';
import { RemoteEngine } from './remote-engine.js';

export type Engine = BrowserEngine;

/** What crosses to the engine. @throws RidgepointError ('usage') for what cannot */
function requestOf(options: BrowserEngineOptions): LoadRequest {
  const { worker, modelsUrl, hubUrl, hubToken, store, signal, model, gpuBytes, ...others } = options;
  const crossing = { ...others, workerUrl: undefined, onProgress: undefined };
  signal?.throwIfAborted();
  const misplaced = Object.entries(crossing).find(([, value]) => typeof value === 'function');
  if (misplaced !== undefined) {
    throw new RidgepointError('usage', `${misplaced[0]} is a function, which cannot leave the page; leave it out`);
  }
  if (worker === 'shared' && model !== undefined && typeof model !== 'string') {
    throw new RidgepointError('usage', 'a picked folder belongs to its tab and cannot be shared; leave worker out');
  }
  return {
    options: { ...crossing, model: model && wantedModel(model) },
    places: {
      modelsUrl: new URL(modelsUrl ?? '../../models/', modelsUrl === undefined ? import.meta.url : location.href).href,
      pageUrl: location.href,
      hubUrl: new URL(hubUrl ?? 'https://huggingface.co/', location.href).href,
      hubToken,
      store: store ?? true,
    },
    gpuBytes,
  };
}

export const Engine = {
  /**
   * Loads a model in a worker, or where `worker` says.
   *
   * @throws RidgepointError in one sentence that says what is wrong and what to do
   */
  async load(options: BrowserEngineOptions = {}): Promise<BrowserEngine> {
    const request = requestOf(options);
    const { worker } = options;
    if (isRemote(options.model) && request.places.store) {
      // Browsers may else delete models when disk space is short; that they do not promise it is no error.
      void navigator.storage?.persist?.().catch(() => undefined);
      // Only dedicated workers write files, so where the engine lives elsewhere one is lent to it.
      if (worker === 'shared' || worker === false) await downloadModel(options);
    }
    // The token must not be seen in a worker's name.
    const seat = await findSeat(options, `ridgepoint ${JSON.stringify(request.options)}`);
    return RemoteEngine.load(seat, request, options);
  },
};

/**
 * Brings a model into the store without loading it. What it needs of its options: those of the model and of where it is.
 *
 * @throws RidgepointError as `Engine.load`; what has arrived by then is kept
 */
export async function downloadModel(options: BrowserEngineOptions): Promise<void> {
  const request = requestOf({ ...options, worker: true });
  const seat = await findSeat({ workerUrl: options.workerUrl }, '');
  try {
    await seat.wire.call('download', request, { onPart: options.onProgress, signal: options.signal });
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    seat.leave();
  }
}

/**
 * Says what a model will take of GPU, disk and time before any of its weights are fetched, and what the same model would
 * with weights of other formats. Only its small files are fetched.
 *
 * @throws RidgepointError as `Engine.load`, but for what does not fit
 */
export async function sizeModel(options: BrowserEngineOptions): Promise<BrowserModelSize> {
  const request = requestOf({ ...options, worker: true });
  const seat = await findSeat({ workerUrl: options.workerUrl }, '');
  try {
    const size = await seat.wire.call('size', request, { signal: options.signal });
    const { quota, usage } = (await navigator.storage?.estimate?.()) ?? {};
    const { connection } = navigator as { connection?: { readonly downlink?: number } };
    const bitsPerSecond = (connection?.downlink ?? 0) * 1e6;
    const left = size.coming?.left;
    return {
      ...size,
      diskBytes: quota === undefined || usage === undefined ? undefined : Math.max(0, quota - usage),
      downloadSeconds: left === undefined || bitsPerSecond === 0 ? undefined : (8 * left) / bitsPerSecond,
    };
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    seat.leave();
  }
}

export { deleteModel, listModels, type StoredModel } from './models/store.js';
export type * from './api.js';
export type {
  ChatMessage,
  EngineInfo,
  EngineStats,
  FinishReason,
  Generation,
  GenerationChunk,
  GenerationResult,
  LoadProgress,
  LoadTimings,
  Prompt,
  SamplingOptions,
} from '../../engine/api.js';
export { RidgepointError, type ErrorCode } from '../../errors.js';
