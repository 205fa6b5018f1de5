import { allocatePagedKv, mostBlocks, type PagedKv } from '../cache/paged-kv.js';
import { blocksFor } from '../cache/block-pool.js';
import { RidgepointError } from '../errors.js';
import type { Gpu } from '../gpu/gpu.js';
import { BLOCK_TOKENS, KV_STORED, kvBlockBytes, type KvStored } from '../kernels/attention-shape.js';
import { type LlamaConfig } from '../model/config.js';
import type { EngineOptions, SpeculationOptions } from './api.js';
import { POLICY_NAMES } from './policies/index.js';

/** Longest context made room for when nobody asks for more; a cache for 128k tokens would surprise. */
const DEFAULT_CONTEXT = 4096;
const DEFAULT_SEQUENCES = 8;
/**
 * Tokens of a prompt that a step takes. Subgroup matrices want large tiles, and a large GPU many of them: 512 rows of a
 * projection of 4096 outputs are 64 tiles for 132 cores.
 */
const DEFAULT_PREFILL_CHUNK = { matrices: 2048, others: 512 };

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
export function checkWords({ kvDtype, weights, policy, decodeSloMs }: EngineOptions): void {
  oneOf('kvDtype', kvDtype, ['auto', ...KV_STORED]);
  oneOf('weights', weights, ['checkpoint', 'synthetic']);
  oneOf('policy', policy, POLICY_NAMES);
  if (decodeSloMs !== undefined && !(typeof decodeSloMs === 'number' && decodeSloMs > 0)) {
    throw new RidgepointError('usage', `decodeSloMs must be a number above 0, found ${String(decodeSloMs)}`);
  }
}

/** Rows of generated tokens that fit a step beside one for each sequence, for what has to be computed again. */
const DECODE_ROWS = 32;

/**
 * Sizes of an engine, from its options and its model.
 *
 * @param matrices whether prompts run on subgroup matrices
 * @throws RidgepointError naming the option
 */
export function engineLimits(options: EngineOptions, config: LlamaConfig, matrices = false) {
  const asked = options.contextLength;
  if (asked !== undefined && positive('contextLength', asked) > config.maxPositions) {
    throw new RidgepointError(
      'usage',
      `contextLength ${asked} is more than the ${config.maxPositions} positions the model was made for`,
    );
  }
  const contextLength = asked ?? Math.min(config.maxPositions, DEFAULT_CONTEXT);
  const sequences = positive('maxSequences', options.maxSequences ?? DEFAULT_SEQUENCES);
  const whole =
    options.policy === 'prefill-first' ? contextLength : DEFAULT_PREFILL_CHUNK[matrices ? 'matrices' : 'others'];
  const chunk = Math.min(positive('prefillChunk', options.prefillChunk ?? whole), contextLength);
  const guesses = options.speculate === undefined ? 0 : checkSpeculation(options.speculate).tokens;
  const chosen = sequences * (1 + guesses);
  const logitRows = Math.max(chosen, positive('logitRows', options.logitRows ?? chosen));
  // A sequence that is alone is never sent away, so nothing of it has to be computed again.
  const rows = sequences === 1 ? chosen : Math.max(chosen, DECODE_ROWS);
  const stepTokens = positive('maxBatchedTokens', options.maxBatchedTokens ?? chunk + rows);
  if (stepTokens < chosen) {
    const each = guesses > 0 ? ` and ${guesses} guesses each` : '';
    throw new RidgepointError(
      'usage',
      `maxBatchedTokens must be at least ${chosen}, one for each of ${sequences} sequences${each}, found ${stepTokens}`,
    );
  }
  return {
    limits: { contextLength, sequences, stepTokens, logitRows, decodeRows: Math.min(rows, stepTokens) },
    chunk: Math.min(chunk, stepTokens),
  };
}

function checkSpeculation(speculate: SpeculationOptions): SpeculationOptions {
  positive('speculate.lookup', speculate.lookup);
  positive('speculate.tokens', speculate.tokens);
  return speculate;
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
  config: LlamaConfig,
  limits: { readonly contextLength: number; readonly sequences: number },
  room: CacheRoom,
  mostTokens: (stored: KvStored) => number,
): CacheSize {
  const { kvCacheTokens, kvCacheBytes } = options;
  if (kvCacheTokens !== undefined && kvCacheBytes !== undefined) {
    throw new RidgepointError('usage', 'kvCacheTokens and kvCacheBytes must not both be given; leave one out');
  }
  const block = (stored: KvStored): number => 2 * config.layers * kvBlockBytes(config, stored);
  const bytesOf = (tokens: number, stored: KvStored): number => blocksFor(tokens, BLOCK_TOKENS) * block(stored);
  const tokensIn = (bytes: number, stored: KvStored): number => Math.floor(bytes / block(stored)) * BLOCK_TOKENS;
  const { contextLength, sequences } = limits;
  // Unasked, the size of one context decides, so that the format does not change with the number of sequences.
  const inF32 =
    kvCacheBytes !== undefined
      ? positive('kvCacheBytes', kvCacheBytes)
      : bytesOf(positive('kvCacheTokens', kvCacheTokens ?? contextLength), 'f32');
  const auto = options.kvDtype === undefined || options.kvDtype === 'auto';
  const kvDtype = auto ? (inF32 <= SMALL_CACHE_BYTES ? 'f32' : 'f16') : options.kvDtype;
  if (kvCacheTokens !== undefined) return { kvTokens: kvCacheTokens, kvDtype, choice: 'as asked' };
  if (kvCacheBytes !== undefined) {
    const kvTokens = tokensIn(kvCacheBytes, kvDtype);
    if (kvTokens === 0) {
      throw new RidgepointError(
        'usage',
        `kvCacheBytes must be at least ${block(kvDtype)}, a block of ${BLOCK_TOKENS} tokens, found ${kvCacheBytes}`,
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

export function allocateCache(gpu: Gpu, config: LlamaConfig, stored: KvStored, kvTokens: number): PagedKv {
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
