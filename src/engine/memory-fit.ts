import { mostBlocks } from '../cache/paged-kv.js';
import { RidgepointError } from '../errors.js';
import { BLOCK_TOKENS, type KvStored } from '../kernels/attention/shape.js';
import { promptRows } from '../kernels/matmul/prompt-rows.js';
import { laneRows, type StoredDtype } from '../kernels/weights.js';
import type { ModelConfig } from '../model/config.js';
import type { LayerFormats } from '../model/layer-formats.js';
import type { ActivationDtype } from '../quantization/activations.js';
import { option, words } from '../wording.js';
import { checkMemory, fits, leftOf, memoryNeeded, type MemoryPlan, type MemoryRequest } from './memory-plan.js';
import type { EngineModel } from './model-opening.js';
import { refuseOption } from './options/check.js';
import type { StartContext } from './start-context.js';
import { activationDtype } from './weight-format.js';
import type { FreeMemory } from './host.js';
import { cacheSize, engineLimits, type CacheSize, type SizedOptions } from './sizes.js';

/** Below this, steps of a prompt would read the weights too often to be worth having. */
const LEAST_CHUNK = 64;

/** What an engine's sizes are made from. */
export interface FitRequest {
  readonly options: SizedOptions;
  /** What the plan depends on beside the sizes. */
  readonly model: Omit<MemoryRequest, 'limits' | 'kvDtype' | 'kvTokens'> & { readonly config: ModelConfig };
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

/** What an engine runs with, all of it known before anything is allocated. */
export interface EngineMemory extends EngineFit {
  readonly activations: ActivationDtype;
  /** Of the layers' matrices that have one of their own. */
  readonly layers: LayerFormats;
}

/** What prompts' projections multiply. @throws RidgepointError where the weights or the adapter cannot */
function activationsOf({ options, source, gpu }: FitContext, dtype: StoredDtype, layers: LayerFormats) {
  const activations = activationDtype(options.activations, dtype);
  if (activations === 'int8' && layers.size > 0) {
    const [[name, kept]] = layers;
    refuseOption('activations', `in int8 need all weights in int8, and ${name} is ${kept}; leave it out`);
  }
  if (activations === 'int8' && !gpu.capabilities.packedDot) {
    const advice = words`leave ${option('activations', 'int8')} out`;
    throw new RidgepointError('adapter', words`${source.name} has no packed integer products; ${advice}`);
  }
  return activations;
}

/** What sizes depend on beside the model. */
export type FitContext = Pick<StartContext, 'options' | 'source' | 'gpu'>;
/** What they depend on of it; before its weights are there, as its configuration says. */
export type FitModel = Pick<EngineModel, 'source' | 'config' | 'formats' | 'weights'>;

/**
 * Sizes of an engine that its adapter has memory for.
 *
 * @throws RidgepointError naming the option that is wrong, or saying what does not fit
 */
export async function planMemory(start: FitContext, model: FitModel): Promise<EngineMemory> {
  const { source } = start;
  const fit = await fitMemory(start, model);
  checkMemory(fit.request, fit.plan, (await source.freeMemory())?.bytes, source.name);
  return fit;
}

/** As `planMemory`, whether they fit or not. @throws RidgepointError naming the option that is wrong */
export async function fitMemory(start: FitContext, model: FitModel): Promise<EngineMemory> {
  const { options, source, gpu } = start;
  const { config } = model;
  const { dtype, head } = model.formats;
  const layers: LayerFormats = model.weights?.layers ?? new Map<string, StoredDtype>();
  const activations = activationsOf(start, dtype, layers);
  const lanes = laneRows(gpu.capabilities);
  // Rows go into every matrix, so they are what all of them can take.
  const kinds = [dtype, ...layers.values()].map((each) =>
    promptRows(activations, { dtype: each, lanes }, gpu.capabilities),
  );
  const rows = kinds.find((kind) => kind === 'f32') ?? kinds[0];
  const memory = await source.freeMemory();
  const tied = config.tiedEmbeddings;
  const fit = fitSizes({
    options,
    model: { model: model.source.name, config, dtype, head, rows, lanes, tied, formats: layers },
    memory,
    shared: gpu.capabilities.isCpu,
    mostTokens: (stored) => mostBlocks(gpu, config, stored) * BLOCK_TOKENS,
  });
  return { ...fit, activations, layers };
}

function sized({ model, memory, shared, mostTokens }: FitRequest, options: SizedOptions): EngineFit {
  const { config } = model;
  const sizes = engineLimits(options, config, model.rows === 'f16');
  const base = { ...model, limits: sizes.limits };
  const besideCache = memoryNeeded({ ...base, kvDtype: 'f16', kvTokens: 0 }).total;
  const left = memory && leftOf(memory.bytes, besideCache);
  const cache = cacheSize(options, config, sizes.limits, { left, by: memory?.by, shared }, mostTokens);
  const request: MemoryRequest = { ...base, kvDtype: cache.kvDtype, kvTokens: cache.kvTokens };
  return { ...sizes, cache, request, plan: memoryNeeded(request), notice: undefined };
}
