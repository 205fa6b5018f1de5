import type { PagedKv } from '../cache/paged-kv.js';
import { ForwardPass } from '../model/forward-pass.js';
import { loadCheckpoint, loadSynthetic } from '../model/load-weights.js';
import { allocateWeights, type ModelWeights } from '../model/weights.js';
import type { ChosenKernels } from './choose-kernels.js';
import type { EngineMemory } from './memory-fit.js';
import { whatFits } from './memory-plan.js';
import type { EngineModel } from './model-opening.js';
import { allocateCache } from './sizes.js';
import type { StartContext } from './start-context.js';

/** A model on the GPU, ready to run. */
export interface BuiltModel extends ChosenKernels {
  readonly pass: ForwardPass;
  readonly weights: ModelWeights;
  readonly cache: PagedKv;
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
  const { tuned, driverRemark } = await chosenKernels(start, model, memory);
  const { dtype, head } = formats;
  const { kvDtype, kvTokens } = memory.cache;
  const advice = (had: number) => whatFits(memory.request, had);
  const allocate = () => ({
    weights: allocateWeights(gpu, config, { dtype, tied: config.tiedEmbeddings, head, formats: layers }),
    cache: allocateCache(gpu, config, kvDtype, kvTokens),
  });
  const { weights, cache } = await gpu.checkedAllocation(`${model.source.name} in ${dtype}`, allocate, advice);
  gpu.pipelines.onProgress = (done, total, item) =>
    options.onProgress?.({ stage: 'pipelines', item, done, total, unit: 'pipelines' });
  const create = (): Promise<ForwardPass> =>
    ForwardPass.create(gpu, { config, weights, cache, limits, choices: tuned?.choices, activations });
  const compile = async (): Promise<ForwardPass> => {
    const pass = await gpu.checkedAllocation('activations', create, advice);
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

/** What the platform's knowledge of its drivers and measuring choose: where it has none of either, nothing. */
async function chosenKernels(start: StartContext, model: EngineModel, memory: EngineMemory): Promise<ChosenKernels> {
  const { drivers, tuning } = start.host;
  if (drivers === undefined && tuning === undefined) return { tuned: undefined, driverRemark: undefined };
  const { chooseKernels } = await import('./choose-kernels.js');
  return chooseKernels(start, model, memory);
}
