import { partBytes } from '../cache/block-copy.js';
import type { PagedKv } from '../cache/paged-kv.js';
import { RidgepointError } from '../errors.js';
import type { Gpu } from '../gpu/gpu.js';
import { BLOCK_TOKENS } from '../kernels/attention/shape.js';
import type { ModelConfig } from '../model/config.js';
import { blockNames } from '../scheduler/block-names.js';
import type { NameListener } from '../scheduler/block-pool.js';
import type { Scheduler } from '../scheduler/scheduler.js';
import { ScheduledSequence } from '../scheduler/sequence.js';
import type { EngineInfo } from './api.js';
import { ExportRing } from './export-ring.js';
import { ImportRing } from './import-ring.js';
import { KvReservation } from './kv-reservation.js';
import type { NameWatch } from './name-watch.js';
import { PrefillRun, type KvPiece } from './prefill-run.js';
import type { StepLoop } from './step-loop.js';
import { layoutOfConfig } from './text-layout.js';

/** Most bytes of a piece. */
const PIECE_BYTES = 8 << 20;

/** What two engines must have in common for one to use the other's keys and values. */
export interface KvLayout {
  /** Of the checkpoint: a hash. */
  readonly checkpoint: string;
  readonly layers: number;
  readonly kvHeads: number;
  /** As stored, padded. */
  readonly headDim: number;
  readonly blockTokens: number;
  readonly kvDtype: string;
  readonly rope: string;
}

/** Where two engines have these in common too, their numbers are the same to the last bit. */
export interface KvNumerics {
  readonly adapter: string;
  readonly driver: string;
  readonly dtype: string;
  readonly headDtype: string;
  readonly activations: string;
  /** Variants of the kernels for one row and for many, which have their orders of sums. */
  readonly kernels: string;
}

export interface PrefillOptions {
  /** The first block that is wanted; default 0. */
  readonly from?: number;
  readonly priority?: number;
  readonly signal?: AbortSignal;
}

export interface KvTransferParts {
  readonly gpu: Gpu;
  readonly scheduler: Scheduler;
  readonly loop: StepLoop;
  readonly cache: PagedKv;
  readonly config: ModelConfig;
  readonly info: EngineInfo;
  readonly prefixCaching: boolean;
  readonly names: NameWatch;
  readonly identity: () => Promise<string>;
  readonly kernels: () => string;
}

/**
 * An engine's keys and values on their way out and in. A block is known by its name, a hash of all tokens up to its end,
 * so that what comes from elsewhere is found like what was computed here.
 */
export class KvTransfer {
  readonly #exports: ExportRing;
  readonly #imports: ImportRing;
  #layout: Promise<KvLayout> | undefined;
  #nextId = -1;

  readonly #parts: KvTransferParts;

  constructor(parts: KvTransferParts) {
    this.#parts = parts;
    const { cache, info } = parts;
    const block = partBytes(cache, { firstBlock: 0, blocks: 1, firstLayer: 0, layers: cache.layers.length });
    const chunk = Math.ceil(info.prefillChunk / BLOCK_TOKENS) * block;
    this.#imports = new ImportRing(parts.gpu, cache);
    this.#exports = new ExportRing(parts.gpu, Math.max(2 * cache.blockBytes, Math.min(PIECE_BYTES, chunk)));
  }

  /** Bytes of keys and values of a block, all layers together. */
  get blockBytes(): number {
    const { cache } = this.#parts;
    return 2 * cache.layers.length * cache.blockBytes;
  }

  /** What must be alike in engines that exchange keys and values. */
  layout(): Promise<KvLayout> {
    const { cache, config, identity } = this.#parts;
    return (this.#layout ??= identity().then((checkpoint) => ({
      checkpoint,
      ...layoutOfConfig(config),
      layers: cache.layers.length,
      kvDtype: cache.stored,
    })));
  }

  numerics(): KvNumerics {
    const { adapter, driver, dtype, headDtype, activations } = this.#parts.info;
    return { adapter, driver, dtype, headDtype, activations, kernels: this.#parts.kernels() };
  }

  /** Names of the blocks that a prompt fills, as far as they are of use: its last token is computed in any case. */
  namesOf(promptIds: readonly number[]): string[] {
    return blockNames(promptIds.slice(0, -1), BLOCK_TOKENS);
  }

  /** How many of the first of these blocks can be found. */
  beginning(names: readonly string[]): number {
    const missing = names.findIndex((name) => !this.#parts.scheduler.has(name));
    return missing < 0 ? names.length : missing;
  }

  /** @returns ends the watch */
  watch(listener: NameListener): () => void {
    return this.#parts.names.watch(listener);
  }

  /** What is set aside for content from elsewhere: blocks, and how many requests they are for. */
  get reserved(): { readonly blocks: number; readonly count: number } {
    return this.#parts.scheduler.reserved;
  }

  /**
   * Sets blocks aside for content that comes from elsewhere.
   *
   * @param names as of `namesOf`
   * @returns undefined where there is no room
   * @throws RidgepointError where prompts are not kept, so that nothing would be found
   */
  reserve(names: readonly string[], { priority = 0 } = {}): KvReservation | undefined {
    this.#assertFinds();
    const { scheduler, cache } = this.#parts;
    const taken = new AbortController();
    const reservation = scheduler.reserve(names, { priority, onTakenBack: () => taken.abort() });
    return reservation && new KvReservation(reservation, this.#imports, cache, taken.signal);
  }

  /**
   * Computes the whole blocks of a prompt and hands their keys and values out as they come, what is in the cache first;
   * samples nothing. Whoever reads slowly keeps its blocks in the cache, and leaving the loop ends it.
   *
   * @throws RidgepointError where the prompt does not fit
   */
  prefill(promptIds: readonly number[], options: PrefillOptions = {}): AsyncGenerator<KvPiece, void, undefined> {
    this.#assertFinds();
    const { config, info } = this.#parts;
    const tokens = promptIds.length - (promptIds.length % BLOCK_TOKENS);
    const strange = promptIds.find((id) => !Number.isInteger(id) || id < 0 || id >= config.vocab);
    if (strange !== undefined) throw new RidgepointError('prompt', `token id ${strange} is not in the vocabulary`);
    const most = Math.min(info.contextLength, info.kvCacheTokens);
    if (tokens > most)
      throw new RidgepointError('prompt', `the prompt has ${tokens} tokens, but there is room for ${most}`);
    return this.#prefill(promptIds.slice(0, tokens), options);
  }

  async *#prefill(ids: readonly number[], options: PrefillOptions): AsyncGenerator<KvPiece, void, undefined> {
    const { from = 0, priority, signal } = options;
    const { loop, cache } = this.#parts;
    signal?.throwIfAborted();
    if (from * BLOCK_TOKENS >= ids.length) return;
    const names = blockNames(ids, BLOCK_TOKENS);
    const sequence = new ScheduledSequence(this.#nextId--, ids.length, 0, { priority, blockNames: names });
    const run = new PrefillRun(sequence, ids, from, {
      cache,
      ring: this.#exports,
      changed: (each) => loop.copyOut(each),
    });
    const stop = (): void => {
      run.fail(signal!.reason);
      loop.copyOut(run);
    };
    signal?.addEventListener('abort', stop, { once: true });
    try {
      loop.compute(run);
      yield* run.pieces();
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  #assertFinds(): void {
    if (this.#parts.prefixCaching) return;
    throw new RidgepointError(
      'usage',
      'keys and values can only come from elsewhere where prompts are kept; load with prefix caching',
    );
  }
}
