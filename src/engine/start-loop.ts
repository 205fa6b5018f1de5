import { tierOf } from '../gpu/capabilities.js';
import { BLOCK_TOKENS } from '../kernels/attention/shape.js';
import { poolingOfModel } from '../model/headless.js';
import { modelIdentity } from '../model/identity.js';
import { parameterCount } from '../model/cost.js';
import type { BatchShape } from '../model/operations.js';
import { poolingAsked } from '../model/pooling.js';
import { DEFAULT_POLICY, POLICIES } from '../scheduler/policies/index.js';
import { Scheduler } from '../scheduler/scheduler.js';
import { LearntStepCost } from '../scheduler/step-cost.js';
import type { EngineInfo } from './api.js';
import type { BuiltModel } from './build-model.js';
import { CoreEngine } from './engine.js';
import type { EngineMemory } from './memory-fit.js';
import type { EngineModel } from './model-opening.js';
import { kernelsOf } from './engine-parts.js';
import { NameWatch } from './name-watch.js';
import { ENGINE_OPTIONS } from './options/engine-options.js';
import type { StartContext } from './start-context.js';
import { StepLoop } from './step-loop.js';

/** All stages of a start but the last. */
interface Loaded {
  readonly model: EngineModel;
  readonly memory: EngineMemory;
  readonly built: BuiltModel;
}

/** Puts a scheduler and a loop in front of a model that is loaded. */
export function startLoop(start: StartContext, loaded: Loaded): CoreEngine {
  const { gpu, host, options, source, clock } = start;
  const { model, memory, built } = loaded;
  const { limits, chunk } = memory;
  const { speculate, decodeSloMs, stepCost } = options;
  const sizes = {
    sequences: limits.sequences,
    blocks: built.cache.blocks,
    blockTokens: BLOCK_TOKENS,
    stepTokens: limits.stepTokens,
    decodeRows: limits.decodeRows,
    chunk,
  };
  const learnt = new LearntStepCost();
  const names = new NameWatch();
  const scheduler = new Scheduler(sizes, {
    names,
    reserve: Math.floor(sizes.blocks * (options.kvReserve ?? ENGINE_OPTIONS.kvReserve.default)),
    policy: POLICIES[options.policy ?? DEFAULT_POLICY],
    decodeSloMs,
    cost: stepCost ?? ((batch) => learnt.predict(batch)),
  });
  const learns = options.policy === 'decode-priority' && stepCost === undefined;
  const onStep = (batch: BatchShape, ms: number): void => {
    if (learns) learnt.observe(batch, ms);
    options.onStep?.(batch, ms);
  };
  const loop = new StepLoop(gpu, built.pass, scheduler, {
    logitRows: limits.logitRows,
    speculate,
    onStep: learns || options.onStep !== undefined ? onStep : undefined,
    onWait: host.expectGpu,
  });
  const info = infoOf(start, loaded);
  const prefixCaching = options.prefixCaching ?? true;
  const kv = host.kvTransfer?.({
    ...{ gpu, scheduler, loop, names, info, prefixCaching },
    cache: built.cache,
    config: model.config,
    identity: () => modelIdentity(model.source, model.weights === undefined),
    kernels: () => Object.values(kernelsOf(built.pass)).flat().join(' '),
  });
  const embedding = { gpu, loop, pass: built.pass, weights: built.weights, chunk };
  return new CoreEngine({
    ...{ gpu, host, scheduler, loop, kv, embedding, info, prefixCaching },
    pooling: poolingAsked(poolingOfModel(model.pooling, model.config), options.pooling),
    config: model.config,
    model: built.pass,
    tokenizer: model.tokenizer,
    chatText: model.chatText,
    generationDefaults: model.generation,
    eosIds: model.eosIds,
    notices: [...model.notices, ...(memory.notice === undefined ? [] : [memory.notice])],
    hint: source.hint,
    driverRemark: built.driverRemark,
    speculates: speculate !== undefined,
    probeLimits: { ...limits, stepTokens: chunk, blocks: built.cache.blocks },
    timings: clock.timings(),
  });
}

function infoOf({ gpu, source }: StartContext, { model, memory, built }: Loaded): EngineInfo {
  const { tuned, weights, cache } = built;
  return {
    adapter: source.name,
    driver: source.driver,
    tier: tierOf(gpu.capabilities),
    disabled: gpu.capabilities.disabled,
    excluded: gpu.capabilities.excluded,
    model: model.source.name,
    dtype: model.formats.dtype,
    headDtype: model.formats.head,
    activations: memory.activations,
    kvDtype: memory.cache.kvDtype,
    contextLength: memory.limits.contextLength,
    prefillChunk: memory.chunk,
    parameters: parameterCount(model.config),
    weightBytes: weights.bytes,
    kvCacheBytes: cache.bytes,
    kvCacheTokens: cache.blocks * BLOCK_TOKENS,
    kvCacheChoice: memory.cache.choice,
    ...(tuned === undefined ? {} : { tuning: tuned.info }),
  };
}
