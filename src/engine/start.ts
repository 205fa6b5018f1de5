import { mostBlocks } from '../cache/paged-kv.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { RidgepointError } from '../errors.js';
import { tierOf } from '../gpu/capabilities.js';
import { Gpu } from '../gpu/gpu.js';
import { BLOCK_TOKENS } from '../kernels/attention-shape.js';
import { promptRows } from '../kernels/prompt-rows.js';
import { laneRows, type StoredDtype } from '../kernels/weights.js';
import { distinctLayers } from '../model/layer-formats.js';
import { LlamaModel } from '../model/llama.js';
import { loadCheckpoint, loadSynthetic } from '../model/load-weights.js';
import { parameterCount, type BatchShape } from '../model/operations.js';
import { allocateWeights } from '../model/weights.js';
import type { EngineOptions, LoadTimings } from './api.js';
import { CoreEngine } from './engine.js';
import type { EngineHost, HostModel } from './host.js';
import { judgeModel, openWeights, type JudgedModel } from './model-opening.js';
import { fitSizes } from './memory-fit.js';
import { checkMemory } from './memory-plan.js';
import { POLICIES } from './policies/index.js';
import { Scheduler } from './scheduler.js';
import { allocateCache, checkWords } from './sizes.js';
import { LearntStepCost } from './step-cost.js';
import { StepLoop } from './step-loop.js';
import { noting, prepareDriver } from './drivers/prepare.js';
import { autotune, LOAD_BUDGET_MS, paysTo } from './tuning/autotune.js';
import type { TuneOptions } from './tuning/tune.js';
import { activationDtype } from './weight-format.js';

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
  const begin = performance.now();
  checkWords(options);
  const spent: Record<string, number> = {};
  const timed = async <T>(name: string, work: Promise<T>): Promise<T> => {
    const from = performance.now();
    const result = await work;
    spent[name] = performance.now() - from;
    return result;
  };
  const source = await timed('adapter', host.openGpu(options.adapter));
  const gpu = await timed('device', Gpu.open(source));
  let checkpoint: Checkpoint | undefined;
  try {
    const { onProgress, signal } = options;
    let judgement: Promise<JudgedModel> | undefined;
    const judge = (model: HostModel): Promise<JudgedModel> =>
      (judgement ??= timed('tokenizer', judgeModel(model, options)));
    const found = await timed('checkpoint', host.openModel(options.model, { onProgress, signal, judge }));
    const synthetic = options.weights === 'synthetic';
    if (found.folder === undefined && !synthetic) {
      throw new RidgepointError(
        'usage',
        `${found.name} is a preset without weights; add --weights synthetic, or give a folder or a Hub name`,
      );
    }
    const judged = await judge(found);
    const { tokenizer, chatText, generation: generationDefaults, eosIds } = judged;
    const opened = synthetic ? undefined : await openWeights(found, judged, options);
    checkpoint = opened?.checkpoint;
    const config = opened?.config ?? judged.config;
    const tied = config.tiedEmbeddings;
    const { dtype, head } = judged.formats;
    const layers = opened?.layers ?? new Map<string, StoredDtype>();
    const activations = activationDtype(options.activations, dtype);
    if (activations === 'int8' && layers.size > 0) {
      const [[name, kept]] = layers;
      throw new RidgepointError(
        'usage',
        `activations in int8 need all weights in int8, and ${name} is ${kept}; leave it out`,
      );
    }
    if (activations === 'int8' && !gpu.capabilities.packedDot) {
      throw new RidgepointError('adapter', `${source.name} has no packed integer products; leave activations out`);
    }
    const lanes = laneRows(gpu.capabilities);
    // Rows go into every matrix, so they are what all of them can take.
    const kinds = [dtype, ...layers.values()].map((each) =>
      promptRows(activations, { dtype: each, lanes }, gpu.capabilities),
    );
    const rows = kinds.find((kind) => kind === 'f32') ?? kinds[0];
    const memory = await source.freeMemory();
    const {
      limits,
      chunk,
      cache: sized,
      request,
      plan,
      notice,
    } = fitSizes({
      options,
      model: { model: found.name, config, dtype, head, rows, lanes, tied, formats: layers },
      memory,
      shared: gpu.capabilities.isCpu,
      mostTokens: (stored) => mostBlocks(gpu, config, stored) * BLOCK_TOKENS,
    });
    const { kvTokens, kvDtype, choice } = sized;
    checkMemory(request, plan, memory?.bytes, source.name);

    // Before anything else is on the device, so that nothing disturbs the timings.
    const onTuning: TuneOptions['onProgress'] = (done, total, item) =>
      onProgress?.({ stage: 'tuning', item, done, total, unit: 'shapes' });
    const distinct = layers.size === 0 ? undefined : distinctLayers(config.layers, layers);
    const kernels = { config, dtype, head, activations, distinct, kv: kvDtype };
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
    const trial = { ...kernels, tied, limits };
    const driverRemark = await prepareDriver(gpu, trial, host.drivers, tunes ? LOAD_BUDGET_MS : undefined, onTuning);
    const tuned =
      options.autotune === false
        ? undefined
        : await noting(gpu, host.drivers, () => autotune({ ...measured, check: host.drivers?.check }));

    const { weights, cache } = await gpu.checkedAllocation(`${found.name} in ${dtype}`, () => ({
      weights: allocateWeights(gpu, config, dtype, tied, head, layers),
      cache: allocateCache(gpu, config, kvDtype, kvTokens),
    }));
    gpu.pipelines.onProgress = (done, total, item) =>
      onProgress?.({ stage: 'pipelines', item, done, total, unit: 'pipelines' });
    const compiling = timed(
      'pipelines',
      gpu
        .checkedAllocation('activations', () =>
          LlamaModel.create(gpu, config, weights, cache, limits, tuned?.choices, activations),
        )
        .then(async (model) => {
          await model.warmUp(gpu);
          return model;
        }),
    );
    const loadOptions = {
      check: options.checkWeights,
      signal,
      onProgress: (done: number, item: string) =>
        onProgress?.({ stage: 'weights', item, done, total: weights.bytes, unit: 'bytes' }),
    };
    const loading = timed(
      'weights',
      checkpoint === undefined
        ? loadSynthetic(gpu, config, weights, loadOptions)
        : loadCheckpoint(gpu, config, checkpoint, weights, loadOptions),
    );
    const settled = await Promise.allSettled([compiling, loading]);
    for (const outcome of settled) if (outcome.status === 'rejected') throw outcome.reason;
    const model = await compiling;
    gpu.check();

    const sizes = {
      sequences: limits.sequences,
      blocks: cache.blocks,
      blockTokens: BLOCK_TOKENS,
      stepTokens: limits.stepTokens,
      decodeRows: limits.decodeRows,
      chunk,
    };
    const { speculate, decodeSloMs, stepCost } = options;
    const learnt = new LearntStepCost();
    const scheduler = new Scheduler(sizes, {
      policy: POLICIES[options.policy ?? 'chunked'],
      decodeSloMs,
      cost: stepCost ?? ((batch) => learnt.predict(batch)),
    });
    const onStep = (batch: BatchShape, ms: number): void => learnt.observe(batch, ms);
    const learns = options.policy === 'decode-priority' && stepCost === undefined;
    const loop = new StepLoop(gpu, model, scheduler, {
      logitRows: limits.logitRows,
      speculate,
      onStep: learns ? onStep : undefined,
      onWait: host.expectGpu,
    });
    return new CoreEngine({
      gpu,
      host,
      config,
      model,
      scheduler,
      loop,
      tokenizer,
      chatText,
      generationDefaults,
      eosIds,
      notices: [...judged.notices, ...(opened?.notices ?? []), ...(notice === undefined ? [] : [notice])],
      hint: source.hint,
      driverRemark,
      prefixCaching: options.prefixCaching ?? true,
      speculates: speculate !== undefined,
      probeLimits: { ...limits, stepTokens: chunk, blocks: cache.blocks },
      info: {
        adapter: source.name,
        driver: source.driver,
        tier: tierOf(gpu.capabilities),
        disabled: gpu.capabilities.disabled,
        excluded: gpu.capabilities.excluded,
        model: found.name,
        dtype,
        headDtype: head,
        activations,
        kvDtype,
        contextLength: limits.contextLength,
        prefillChunk: chunk,
        parameters: parameterCount({ ...config, tiedEmbeddings: tied }),
        weightBytes: weights.bytes,
        kvCacheBytes: cache.bytes,
        kvCacheTokens: cache.blocks * BLOCK_TOKENS,
        kvCacheChoice: choice,
        ...(tuned === undefined ? {} : { tuning: tuned.info }),
      },
      timings: { ...(spent as unknown as LoadTimings), total: performance.now() - begin },
    });
  } catch (error) {
    const reason = reasonOf(gpu, error);
    await gpu.dispose();
    throw reason;
  } finally {
    await checkpoint?.close();
  }
}
