import { copyOut, nextPart, partBytes, type KvPart } from '../cache/block-copy.js';
import type { PagedKv } from '../cache/paged-kv.js';
import { BLOCK_TOKENS } from '../kernels/attention/shape.js';
import type { ScheduledSequence } from '../scheduler/sequence.js';
import { EXPORTS_UNDER_WAY, type ExportRing } from './export-ring.js';
import type { PromptRun } from './prompt-runs.js';

/** Keys and values of a part of a prompt on the host; the bytes are there until the next one is asked for. */
export interface KvPiece extends KvPart {
  readonly bytes: Uint8Array;
}

/** By which keys and values leave. */
export interface PrefillWays {
  readonly cache: PagedKv;
  readonly ring: ExportRing;
  /** Told when there is room for more copies, and when the reader has left. */
  readonly changed: (run: PrefillRun) => void;
}

interface Exported {
  readonly part: KvPart;
  readonly buffer: GPUBuffer;
  mapped: Promise<unknown>;
}

/**
 * A prompt that is computed for its keys and values, which are handed out block by block while it goes on. Blocks that
 * its reader is not ready for stay where they are, and the sequence keeps them until the last has been copied.
 */
export class PrefillRun implements PromptRun {
  readonly #exported: Exported[] = [];
  #next: number;
  #layer = 0;
  #held = 0;
  #ended = false;
  #error: unknown;
  #wake: (() => void) | undefined;
  #fail!: (error: unknown) => void;
  /** Rejects when the run fails; a lost device's mappings may never end. */
  readonly #failed = new Promise<never>((_, reject) => (this.#fail = reject));

  readonly #cache: PagedKv;
  readonly #ring: ExportRing;
  readonly #changed: (run: PrefillRun) => void;

  /**
   * @param promptIds whole blocks of tokens
   * @param from the first block that is wanted
   */
  constructor(
    readonly sequence: ScheduledSequence,
    readonly promptIds: readonly number[],
    from: number,
    { cache, ring, changed }: PrefillWays,
  ) {
    this.#cache = cache;
    this.#ring = ring;
    this.#changed = changed;
    this.#next = from;
    this.#failed.catch(() => undefined);
  }

  /** Whether all that is wanted has been copied out, or will not be. */
  get complete(): boolean {
    return this.#ended || this.#next * BLOCK_TOKENS >= this.promptIds.length;
  }

  /**
   * Records copies of what has been computed, as far as its reader has come.
   *
   * @param computed tokens whose keys and values are there when the copies run
   * @returns to be called once submitted
   */
  record(encoder: GPUCommandEncoder, computed: number): () => void {
    const { blocks, slot } = this.sequence;
    const ready = slot < 0 ? 0 : Math.floor(computed / BLOCK_TOKENS);
    const recorded: Exported[] = [];
    while (!this.#ended && this.#next < ready && this.#held < EXPORTS_UNDER_WAY) {
      const part = nextPart(this.#cache, this.#next, ready, this.#layer, this.#ring.bytes);
      const buffer = this.#ring.take();
      copyOut(encoder, this.#cache, part, blocks.slice(part.firstBlock, part.firstBlock + part.blocks), buffer);
      recorded.push({ part, buffer, mapped: this.#failed });
      this.#held++;
      this.#layer = (part.firstLayer + part.layers) % this.#cache.layers.length;
      if (this.#layer === 0) this.#next += part.blocks;
    }
    return () => {
      for (const each of recorded) {
        each.mapped = each.buffer.mapAsync(GPUMapMode.READ, 0, partBytes(this.#cache, each.part));
        each.mapped.catch(() => undefined); // awaited when its turn comes
      }
      this.#exported.push(...recorded);
      if (recorded.length > 0) this.#wake?.();
    };
  }

  /** Whether there is something to copy and a place for it, of so many tokens. */
  owes(computed: number): boolean {
    return (
      this.sequence.slot >= 0 &&
      this.#held < EXPORTS_UNDER_WAY &&
      !this.complete &&
      this.#next * BLOCK_TOKENS < computed
    );
  }

  fail(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#fail(error);
    this.#wake?.();
  }

  /** The pieces in order. Leaving early ends the run. */
  async *pieces(): AsyncGenerator<KvPiece, void, undefined> {
    try {
      for (;;) {
        const next = this.#exported.shift();
        if (next !== undefined) yield* this.#piece(next);
        else if (this.#error !== undefined) throw this.#error as Error;
        else if (this.complete) return;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      this.#ended = true;
      for (const { buffer } of this.#exported.splice(0)) this.#ring.give(buffer);
      this.#changed(this);
    }
  }

  async *#piece({ part, buffer, mapped }: Exported): AsyncGenerator<KvPiece, void, undefined> {
    try {
      await Promise.race([mapped, this.#failed]);
      yield { ...part, bytes: new Uint8Array(buffer.getMappedRange(0, partBytes(this.#cache, part))) };
    } finally {
      this.#ring.give(buffer);
      this.#held--;
      this.#changed(this);
    }
  }
}
