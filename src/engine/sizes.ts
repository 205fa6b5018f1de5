import { allocatePagedKv, mostBlocks, type PagedKv } from '../cache/paged-kv.js';
import { blocksFor } from '../scheduler/block-pool.js';
import { RidgepointError } from '../errors.js';
import type { Gpu } from '../gpu/gpu.js';
import { BLOCK_TOKENS, kvBlockBytes, type KvStored } from '../kernels/attention/shape.js';
import { type ModelConfig } from '../model/config.js';
import { option, words } from '../wording.js';
import type { EngineOptions } from './api.js';
import { refuseOption } from './options/check.js';
import { ENGINE_OPTIONS } from './options/engine-options.js';

/**
 * Tokens of a prompt that a step takes. Subgroup matrices want large tiles, and a large GPU many of them: 512 rows of a
 * projection of 4096 outputs are 64 tiles for 132 cores.
 */
const PREFILL_CHUNK = { matrices: 2048, others: ENGINE_OPTIONS.prefillChunk.default };

/** Rows of generated tokens that fit a step beside one for each sequence, for what has to be computed again. */
const DECODE_ROWS = 32;

/** What an engine's sizes are where nobody asked for others. */
export interface UnaskedSizes {
  readonly contextLength: number;
  readonly maxSequences: number;
}

/** Options with the sizes that a platform takes where they name none. */
export interface SizedOptions extends EngineOptions {
  readonly unasked?: UnaskedSizes;
}

const USUAL: UnaskedSizes = {
  contextLength: ENGINE_OPTIONS.contextLength.default,
  maxSequences: ENGINE_OPTIONS.maxSequences.default,
};

/**
 * Sizes of an engine, from its options and its model.
 *
 * @param matrices whether prompts run on subgroup matrices
 * @throws RidgepointError naming the option
 */
export function engineLimits(options: SizedOptions, config: ModelConfig, matrices = false) {
  const unasked = options.unasked ?? USUAL;
  const asked = options.contextLength;
  if (asked !== undefined && asked > config.maxPositions) {
    refuseOption('contextLength', `${asked} is more than the ${config.maxPositions} positions the model was made for`);
  }
  const contextLength = asked ?? Math.min(config.maxPositions, unasked.contextLength);
  const sequences = options.maxSequences ?? unasked.maxSequences;
  const whole = options.policy === 'prefill-first' ? contextLength : PREFILL_CHUNK[matrices ? 'matrices' : 'others'];
  const chunk = Math.min(options.prefillChunk ?? whole, contextLength);
  const guesses = options.speculate?.tokens ?? 0;
  const chosen = sequences * (1 + guesses);
  const logitRows = Math.max(chosen, options.logitRows ?? chosen);
  // A sequence that is alone is never sent away, so nothing of it has to be computed again.
  const rows = sequences === 1 ? chosen : Math.max(chosen, DECODE_ROWS);
  const stepTokens = options.maxBatchedTokens ?? chunk + rows;
  if (stepTokens < chosen) {
    const each = guesses > 0 ? ` and ${guesses} guesses each` : '';
    refuseOption(
      'maxBatchedTokens',
      `must be at least ${chosen}, one for each of ${sequences} sequences${each}, found ${stepTokens}`,
    );
  }
  return {
    limits: { contextLength, sequences, stepTokens, logitRows, decodeRows: Math.min(rows, stepTokens) },
    chunk: Math.min(chunk, stepTokens),
  };
}

/** Rounding keys and values to f16 can tip a near tie, so a cache that costs little in f32 is kept in f32. */
const SMALL_CACHE_BYTES = 64 << 20;
/** What the cache takes unasked where it is not known, or not only the engine's business, how much memory is free. */
const MODEST_CACHE_BYTES = 1 << 30;

/** Size and number format of the cache. */
export interface CacheSize {
  readonly kvTokens: number;
  readonly kvDtype: KvStored;
  /** Why that many, in words. */
  readonly choice: string;
}

/** Memory for the cache, as far as it is known. */
export interface CacheRoom {
  /** Bytes left beside the weights and activations. */
  readonly left: number | undefined;
  /** Who says so. */
  readonly by?: string;
  /** Whether they are also others'. */
  readonly shared: boolean;
}

/**
 * @param mostTokens the most that the adapter binds
 * @throws RidgepointError naming the option
 */
export function cacheSize(
  options: EngineOptions,
  config: ModelConfig,
  limits: { readonly contextLength: number; readonly sequences: number },
  room: CacheRoom,
  mostTokens: (stored: KvStored) => number,
): CacheSize {
  const { kvCacheTokens, kvCacheBytes } = options;
  if (kvCacheTokens !== undefined && kvCacheBytes !== undefined) {
    refuseOption('kvCacheTokens', words`and ${option('kvCacheBytes')} must not both be given; leave one out`);
  }
  const block = (stored: KvStored): number => 2 * config.layers * kvBlockBytes(config, stored);
  const bytesOf = (tokens: number, stored: KvStored): number => blocksFor(tokens, BLOCK_TOKENS) * block(stored);
  const tokensIn = (bytes: number, stored: KvStored): number => Math.floor(bytes / block(stored)) * BLOCK_TOKENS;
  const { contextLength, sequences } = limits;
  // Unasked, the size of one context decides, so that the format does not change with the number of sequences.
  const inF32 = kvCacheBytes ?? bytesOf(kvCacheTokens ?? contextLength, 'f32');
  const auto = options.kvDtype === undefined || options.kvDtype === 'auto';
  const kvDtype = auto ? (inF32 <= SMALL_CACHE_BYTES ? 'f32' : 'f16') : options.kvDtype;
  if (kvCacheTokens !== undefined) return { kvTokens: kvCacheTokens, kvDtype, choice: 'as asked' };
  if (kvCacheBytes !== undefined) {
    const kvTokens = tokensIn(kvCacheBytes, kvDtype);
    if (kvTokens === 0) {
      refuseOption(
        'kvCacheBytes',
        `must be at least ${block(kvDtype)}, a block of ${BLOCK_TOKENS} tokens, found ${kvCacheBytes}`,
      );
    }
    return { kvTokens, kvDtype, choice: 'as asked' };
  }
  const { bytes, share } = shareOf(room);
  const bound = mostTokens(kvDtype);
  const most = Math.min(tokensIn(bytes, kvDtype), bound);
  const wanted = sequences * contextLength;
  const kvTokens = Math.max(contextLength, Math.min(wanted, most));
  const one = `one sequence of ${contextLength}`;
  const all = sequences === 1 ? one : `${sequences} sequences of ${contextLength}`;
  if (kvTokens === wanted) return { kvTokens, kvDtype, choice: `room for ${all}` };
  const limit = most === bound ? 'the most that the adapter binds' : share;
  return { kvTokens, kvDtype, choice: kvTokens > most ? `room for ${one}, more than ${limit}` : limit };
}

/** What the cache may take unasked. */
function shareOf({ left, by, shared }: CacheRoom): { bytes: number; share: string } {
  const half = (left ?? Infinity) / 2;
  if (left !== undefined && (!shared || half < MODEST_CACHE_BYTES)) {
    return { bytes: half, share: `half of the ${gib(left)} that ${by ?? 'the system'} says are left beside the model` };
  }
  const whose = shared ? 'the memory is also the system’s' : 'nobody says how much memory this GPU has free';
  return { bytes: MODEST_CACHE_BYTES, share: `${gib(MODEST_CACHE_BYTES)}, as ${whose}` };
}

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

export function allocateCache(gpu: Gpu, config: ModelConfig, stored: KvStored, kvTokens: number): PagedKv {
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
