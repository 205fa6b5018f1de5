import { distinctLayers } from '../model/layer-formats.js';
import { autotune, LOAD_BUDGET_MS, paysTo } from '../tuning/autotune.js';
import type { TuneOptions } from '../tuning/tune.js';
import { noting, prepareDriver } from './drivers/prepare.js';
import type { EngineMemory } from './memory-fit.js';
import type { EngineModel } from './model-opening.js';
import type { StartContext } from './start-context.js';

export interface ChosenKernels {
  /** What measuring chose of the kernels; undefined where nothing is to be measured. */
  readonly tuned: Awaited<ReturnType<typeof autotune>>;
  /** One line about what is left out for the driver's sake, where something is. */
  readonly driverRemark: string | undefined;
}

/** Tries the driver, and measures which kernels are fastest where that pays. */
export async function chooseKernels(
  { gpu, host, options }: StartContext,
  { config, formats: { dtype, head } }: EngineModel,
  { limits, activations, layers, cache, plan }: EngineMemory,
): Promise<ChosenKernels> {
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
