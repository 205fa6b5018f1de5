import type { LlamaConfig } from '../model/config.js';
import type { KvStored } from '../kernels/attention-shape.js';
import type { EngineOptions } from './api.js';
import { fits, leftOf, planMemory, type MemoryPlan, type MemoryRequest } from './memory-plan.js';
import type { FreeMemory } from './host.js';
import { cacheSize, engineLimits, type CacheSize } from './sizes.js';

/** Below this, steps of a prompt would read the weights too often to be worth having. */
const LEAST_CHUNK = 64;

/** What an engine's sizes are made from. */
export interface FitRequest {
  readonly options: EngineOptions;
  /** What the plan depends on beside the sizes. */
  readonly model: Omit<MemoryRequest, 'limits' | 'kvDtype' | 'kvTokens'> & { readonly config: LlamaConfig };
  /** Undefined where nobody can tell. */
  readonly memory: FreeMemory | undefined;
  /** Whether the memory is also others'. */
  readonly shared: boolean;
  /** Tokens of a cache that the adapter binds at most. */
  readonly mostTokens: (stored: KvStored) => number;
}

/** Sizes of an engine, and the memory they take. */
export interface EngineFit extends ReturnType<typeof engineLimits> {
  readonly cache: CacheSize;
  readonly request: MemoryRequest;
  readonly plan: MemoryPlan;
  /** What a user should know of the sizes, in a sentence. */
  readonly notice: string | undefined;
}

/**
 * Sizes that fit the memory there is: the usual ones, and where they do not fit and nobody asked for them, a prefill
 * chunk half as long as often as needed, since what lies between operations grows with it. Where nothing fits, the last
 * that was tried.
 *
 * @throws RidgepointError naming the option that is wrong
 */
export function fitSizes(request: FitRequest): EngineFit {
  const { options, memory } = request;
  const usual = sized(request, options);
  const fixed = options.prefillChunk !== undefined || options.maxBatchedTokens !== undefined;
  let found = usual;
  while (!fixed && !fits(found.plan, memory?.bytes) && found.chunk / 2 >= LEAST_CHUNK) {
    found = sized(request, { ...options, prefillChunk: Math.floor(found.chunk / 2) });
  }
  if (found === usual) return usual;
  const why = `memory is short: steps take ${found.chunk} tokens of a prompt instead of ${usual.chunk}`;
  return { ...found, notice: `${why}, so prompts take longer` };
}

function sized({ model, memory, shared, mostTokens }: FitRequest, options: EngineOptions): EngineFit {
  const { config } = model;
  const sizes = engineLimits(options, config, model.rows === 'f16');
  const base = { ...model, limits: sizes.limits };
  const besideCache = planMemory({ ...base, kvDtype: 'f16', kvTokens: 0 }).total;
  const left = memory && leftOf(memory.bytes, besideCache);
  const cache = cacheSize(options, config, sizes.limits, { left, by: memory?.by, shared }, mostTokens);
  const request: MemoryRequest = { ...base, kvDtype: cache.kvDtype, kvTokens: cache.kvTokens };
  return { ...sizes, cache, request, plan: planMemory(request), notice: undefined };
}
