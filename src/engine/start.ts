import { Gpu } from '../gpu/gpu.js';
import type { EngineOptions } from './api.js';
import { buildModel } from './build-model.js';
import type { CoreEngine } from './engine.js';
import type { EngineHost } from './host.js';
import { planMemory } from './memory-fit.js';
import { openEngineModel, type EngineModel } from './model-opening.js';
import { checkEngineOptions } from './options/check.js';
import { LoadClock } from './start-context.js';
import { startLoop } from './start-loop.js';

/** Work on a lost device fails in many ways; the loss is what the user must know. */
function reasonOf(gpu: Gpu, error: unknown): unknown {
  try {
    if (gpu.lost) gpu.check();
  } catch (loss) {
    return loss;
  }
  return error;
}

/**
 * Loads a model onto a GPU. Pipelines are compiled while weights stream in.
 *
 * @throws RidgepointError naming the file, tensor or option that is wrong, or what does not fit
 */
export async function startEngine(options: EngineOptions, host: EngineHost): Promise<CoreEngine> {
  const clock = new LoadClock();
  checkEngineOptions(options);
  const source = await clock.time('adapter', host.openGpu(options.adapter));
  const gpu = await clock.time('device', Gpu.open(source));
  const start = { options: { ...options, unasked: host.unasked }, host, source, gpu, clock };
  let model: EngineModel | undefined;
  try {
    model = await openEngineModel(start);
    const memory = await planMemory(start, model);
    const built = await buildModel(start, model, memory);
    return startLoop(start, { model, memory, built });
  } catch (error) {
    const reason = reasonOf(gpu, error);
    await gpu.dispose();
    throw reason;
  } finally {
    await model?.weights?.checkpoint.close();
  }
}
