import type { PagedKv } from '../cache/paged-kv.js';
import { distinctLayers } from '../model/layer-formats.js';
import { ForwardPass } from '../model/forward-pass.js';
import { loadCheckpoint, loadSynthetic } from '../model/load-weights.js';
import { allocateWeights, type ModelWeights } from '../model/weights.js';
import { autotune, LOAD_BUDGET_MS, paysTo } from '../tuning/autotune.js';
import type { TuneOptions } from '../tuning/tune.js';
import { noting, prepareDriver } from './drivers/prepare.js';
import type { EngineMemory } from './memory-fit.js';
import type { EngineModel } from './model-opening.js';
import { allocateCache } from './sizes.js';
import type { StartContext } from './start-context.js';

/** What measuring chose of the kernels; undefined where nothing is to be measured. */
type Tuned = Awaited<ReturnType<typeof autotune>> | undefined;

/** A model on the GPU, ready to run. */
export interface BuiltModel {
  readonly pass: ForwardPass;
  readonly weights: ModelWeights;
  readonly cache: PagedKv;
  readonly tuned: Tuned;
  /** One line about what is left out for the driver's sake, where something is. */
  readonly driverRemark: string | undefined;
}

/**
 * Tries the driver, tunes the kernels, and loads the weights while pipelines are compiled.
 *
 * @throws RidgepointError naming the file or tensor that is wrong, or what does not fit
 */
export async function buildModel(start: StartContext, model: EngineModel, memory: EngineMemory): Promise<BuiltModel> {
  const { gpu, clock, options } = start;
  const { config, formats } = model;
  const { limits, activations, layers } = memory;
  // Before anything else is on the device, so that nothing disturbs the timings.
  const { tuned, driverRemark } = await chooseKernels(start, model, memory);
  const { dtype, head } = formats;
  const { kvDtype, kvTokens } = memory.cache;
  const { weights, cache } = await gpu.checkedAllocation(`${model.source.name} in ${dtype}`, () => ({
    weights: allocateWeights(gpu, config, { dtype, tied: config.tiedEmbeddings, head, formats: layers }),
    cache: allocateCache(gpu, config, kvDtype, kvTokens),
  }));
  gpu.pipelines.onProgress = (done, total, item) =>
    options.onProgress?.({ stage: 'pipelines', item, done, total, unit: 'pipelines' });
  const create = (): Promise<ForwardPass> =>
    ForwardPass.create(gpu, { config, weights, cache, limits, choices: tuned?.choices, activations });
  const compile = async (): Promise<ForwardPass> => {
    const pass = await gpu.checkedAllocation('activations', create);
    await pass.warmUp(gpu);
    return pass;
  };
  const compiling = clock.time('pipelines', compile());
  const loading = clock.time('weights', loadWeights(start, model, weights));
  const settled = await Promise.allSettled([compiling, loading]);
  for (const outcome of settled) if (outcome.status === 'rejected') throw outcome.reason;
  const pass = await compiling;
  gpu.check();
  return { pass, weights, cache, tuned, driverRemark };
}

function loadWeights({ gpu, options }: StartContext, model: EngineModel, weights: ModelWeights): Promise<void> {
  const loadOptions = {
    check: options.checkWeights,
    signal: options.signal,
    onProgress: (done: number, item: string) =>
      options.onProgress?.({ stage: 'weights', item, done, total: weights.bytes, unit: 'bytes' }),
  };
  const { config } = model;
  if (model.weights === undefined) return loadSynthetic({ gpu, config, weights }, loadOptions);
  return loadCheckpoint({ gpu, config, checkpoint: model.weights.checkpoint, weights }, loadOptions);
}

/** Tries the driver, and measures which kernels are fastest where that pays. */
async function chooseKernels(
  { gpu, host, options }: StartContext,
  { config, formats: { dtype, head } }: EngineModel,
  { limits, activations, layers, cache, plan }: EngineMemory,
): Promise<Pick<BuiltModel, 'tuned' | 'driverRemark'>> {
  const { onProgress, signal } = options;
  const onTuning: TuneOptions['onProgress'] = (done, total, item) =>
    onProgress?.({ stage: 'tuning', item, done, total, unit: 'shapes' });
  const distinct = layers.size === 0 ? undefined : distinctLayers(config.layers, layers);
  const kernels = { config, dtype, head, activations, distinct, kv: cache.kvDtype };
  const measured = {
    ...kernels,
    sequences: limits.sequences,
    gpu,
    signal,
    store: host.tuning,
    weightBytes: plan.weights,
    onProgress: onTuning,
  };
  const tunes = options.autotune !== false && paysTo(measured);
  const trial = { ...kernels, tied: config.tiedEmbeddings, limits };
  const driverRemark = await prepareDriver(gpu, trial, host.drivers, tunes ? LOAD_BUDGET_MS : undefined, onTuning);
  if (options.autotune === false) return { tuned: undefined, driverRemark };
  const check = host.drivers?.check;
  return { tuned: await noting(gpu, host.drivers, () => autotune({ ...measured, check })), driverRemark };
}
