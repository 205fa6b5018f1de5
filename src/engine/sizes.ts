import { allocatePagedKv, mostBlocks, type PagedKv } from '../cache/paged-kv.js';
import { blocksFor } from '../cache/block-pool.js';
import { RidgepointError } from '../errors.js';
import type { Gpu } from '../gpu/gpu.js';
import { BLOCK_TOKENS, kvBlockBytes } from '../kernels/attention-shape.js';
import { type LlamaConfig } from '../model/config.js';
import type { EngineOptions } from './api.js';

/** Longest context made room for when nobody asks for more; a cache for 128k tokens would surprise. */
const DEFAULT_CONTEXT = 4096;
const DEFAULT_SEQUENCES = 8;
const DEFAULT_PREFILL_CHUNK = 512;

function positive(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) {
    throw new RidgepointError('usage', `${name} must be a whole number of at least 1, found ${value}`);
  }
  return value;
}

function oneOf(name: string, value: string | undefined, known: readonly string[]): void {
  if (value === undefined || known.includes(value)) return;
  throw new RidgepointError('usage', `${name} must be one of ${known.join(', ')}, found ${value}`);
}

/** Checks the options that are words. @throws RidgepointError naming the option */
export function checkWords({ dtype, kvDtype, weights }: EngineOptions): void {
  oneOf('dtype', dtype, ['auto', 'f16', 'bf16', 'f32']);
  oneOf('kvDtype', kvDtype, ['auto', 'f16', 'f32']);
  oneOf('weights', weights, ['checkpoint', 'synthetic']);
}

/** Sizes of an engine, from its options and its model. */
export function engineLimits(options: EngineOptions, config: LlamaConfig) {
  const asked = options.contextLength;
  if (asked !== undefined && positive('contextLength', asked) > config.maxPositions) {
    throw new RidgepointError(
      'usage',
      `contextLength ${asked} is more than the ${config.maxPositions} positions the model was made for`,
    );
  }
  const contextLength = asked ?? Math.min(config.maxPositions, DEFAULT_CONTEXT);
  const sequences = positive('maxSequences', options.maxSequences ?? DEFAULT_SEQUENCES);
  const chunk = positive('prefillChunk', options.prefillChunk ?? DEFAULT_PREFILL_CHUNK);
  return {
    kvTokens: positive('kvCacheTokens', options.kvCacheTokens ?? contextLength),
    limits: { contextLength, sequences, stepTokens: Math.max(Math.min(chunk, contextLength), sequences) },
  };
}

/** Rounding keys and values to f16 can tip a near tie, so a cache that costs little in f32 is kept in f32. */
const SMALL_CACHE_BYTES = 64 << 20;

export function chooseKvDtype({ kvDtype }: EngineOptions, config: LlamaConfig, kvTokens: number): 'f16' | 'f32' {
  if (kvDtype !== undefined && kvDtype !== 'auto') return kvDtype;
  const bytes = 2 * config.layers * blocksFor(kvTokens, BLOCK_TOKENS) * kvBlockBytes(config, 'f32');
  return bytes <= SMALL_CACHE_BYTES ? 'f32' : 'f16';
}

export function allocateCache(gpu: Gpu, config: LlamaConfig, stored: 'f16' | 'f32', kvTokens: number): PagedKv {
  const blocks = blocksFor(kvTokens, BLOCK_TOKENS);
  const most = mostBlocks(gpu, config, stored);
  if (blocks > most) {
    throw new RidgepointError(
      'memory',
      `a KV cache of ${kvTokens} tokens needs ${blocks} blocks a layer, but ${gpu.name} binds at most ${most}; ask for at most ${most * BLOCK_TOKENS} tokens`,
    );
  }
  return allocatePagedKv(gpu, config, stored, config.layers, blocks);
}
