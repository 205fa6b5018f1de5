import { RidgepointError } from '../errors.js';
import { option, words, type Wording } from '../wording.js';
import { blocksFor } from '../scheduler/block-pool.js';
import { BLOCK_TOKENS, kvBlockBytes, type KvStored } from '../kernels/attention/shape.js';
import type { PromptRows } from '../kernels/matmul/prompt-rows.js';
import type { StoredDtype } from '../kernels/weights.js';
import type { ModelConfig } from '../model/config.js';
import type { LayerFormats } from '../model/layer-formats.js';
import { quantFormat } from '../quantization/formats.js';
import { activationBytes, type ModelLimits } from '../model/activations.js';
import { weightBytes } from '../model/weights.js';

/** Bytes an engine will take on the GPU, by purpose. */
export interface MemoryPlan {
  readonly weights: number;
  readonly kvCache: number;
  readonly activations: number;
  readonly total: number;
}

export interface MemoryRequest {
  readonly model: string;
  readonly config: ModelConfig;
  readonly dtype: StoredDtype;
  /** Of embedding and `lm_head`. */
  readonly head: StoredDtype;
  /** What rows of prompts are in on their way into a product; f32 when absent. */
  readonly rows?: PromptRows;
  /** Rows of weights that lie side by side; see `WeightLayout`. */
  readonly lanes: number;
  readonly kvDtype: KvStored;
  readonly tied: boolean;
  /** Of the layers' matrices that have one of their own. */
  readonly formats?: LayerFormats;
  readonly limits: ModelLimits;
  /** Tokens the cache has room for. */
  readonly kvTokens: number;
}

export function memoryNeeded(request: MemoryRequest): MemoryPlan {
  const { config, dtype, head, lanes, kvDtype, tied, limits, kvTokens } = request;
  const quantized = request.rows === 'int8' ? quantFormat(dtype) : undefined;
  const weights = weightBytes(config, { dtype, lanes }, tied, head, request.formats);
  const kvCache = 2 * config.layers * blocksFor(kvTokens, BLOCK_TOKENS) * kvBlockBytes(config, kvDtype);
  const activations = Object.values(activationBytes(config, limits, request.rows, quantized)).reduce(
    (sum, bytes) => sum + bytes,
    0,
  );
  return { weights, kvCache, activations, total: weights + kvCache + activations };
}

/** Left free beside the plan, for the driver's own needs and the uploads under way. */
const RESERVE = 256 << 20;

/** Bytes left of `free` beside what is needed anyway. */
export function leftOf(free: number, needed: number): number {
  return Math.max(0, free - needed - RESERVE);
}

/** Whether a plan fits; it does where the platform cannot tell what is free. */
export function fits({ total }: MemoryPlan, free: number | undefined): boolean {
  return free === undefined || total + RESERVE <= free;
}

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(bytes < 2 ** 30 ? 2 : 1)} GiB`;

/**
 * Refuses a model that cannot fit before anything is allocated.
 *
 * @param free bytes the adapter has free; nothing is checked where the platform cannot tell
 * @throws RidgepointError saying what was asked for, what is free, and what would fit
 */
export function checkMemory(request: MemoryRequest, plan: MemoryPlan, free: number | undefined, adapter: string): void {
  if (free === undefined || fits(plan, free)) return;
  const { model, dtype } = request;
  const asked = `${model} in ${dtype} needs ${gib(plan.total)} (weights ${gib(plan.weights)}, KV cache for ${request.kvTokens} tokens ${gib(plan.kvCache)}, activations ${gib(plan.activations)})`;
  throw new RidgepointError(
    'memory',
    words`out of GPU memory: ${asked}, but ${adapter} has ${gib(free)} free; ${whatFits(request, free)}`,
  );
}

/** What to do where there is only so much memory. */
export function whatFits(request: MemoryRequest, free: number): string | Wording {
  const { limits } = request;
  const { stepTokens, decodeRows = 0 } = limits;
  for (let chunk = stepTokens - decodeRows; chunk >= 64; chunk = Math.floor(chunk / 2)) {
    if (fits(memoryNeeded({ ...request, limits: { ...limits, stepTokens: chunk + decodeRows } }), free)) {
      return words`steps of ${chunk} tokens of a prompt would fit (${option('prefillChunk', chunk)})`;
    }
  }
  if (request.kvTokens > limits.contextLength) {
    const kvTokens = limits.contextLength;
    const smaller = memoryNeeded({ ...request, kvTokens });
    if (fits(smaller, free)) {
      const bytes = Math.ceil(smaller.kvCache / 2 ** 20) * 2 ** 20;
      return words`a KV cache for one sequence of ${kvTokens} tokens would fit (${option('kvCacheBytes', bytes)})`;
    }
  }
  for (let context = Math.floor(limits.contextLength / 2); context >= 256; context = Math.floor(context / 2)) {
    const stepTokens = Math.min(limits.stepTokens, context + (limits.decodeRows ?? 0));
    const smaller = { ...request, kvTokens: context, limits: { ...limits, contextLength: context, stepTokens } };
    if (fits(memoryNeeded(smaller), free))
      return words`a context of ${context} tokens would fit (${option('contextLength', context)})`;
  }
  if (request.dtype === 'f32' && fits(memoryNeeded({ ...request, dtype: 'f16', head: 'f16' }), free)) {
    return words`it would fit with ${option('dtype', 'f16')}, which halves the weights`;
  }
  const parameters = Math.floor((free - RESERVE) / 2 / 1e6);
  return parameters > 0
    ? `a model of at most about ${parameters >= 2000 ? `${(parameters / 1000).toFixed(0)} billion` : `${parameters} million`} parameters would fit in f16`
    : 'close other programs or choose another adapter';
}
