import type { BufferRange, Gpu } from '../gpu/gpu.js';
import { BLOCK_TOKENS } from '../kernels/attention/shape.js';
import { partTokens } from '../kernels/attention/decode.js';
import { isGreedy, SAMPLING_WORDS, writeSampling, type SamplingRow } from '../kernels/sample/kernel.js';

/** One sequence's part in a step. */
export interface StepSequence {
  readonly slot: number;
  /** Position of its first new token. */
  readonly position: number;
  /** New token ids, from `tokensBegin` to `tokensEnd`; undefined: the one token the sampler left in the slot. */
  readonly tokens: ArrayLike<number> | undefined;
  readonly tokensBegin: number;
  readonly tokensEnd: number;
  /** Cache blocks of the sequence, in order. */
  readonly blocks: readonly number[];
  /** How to choose its next token; undefined where no token is wanted yet (a chunk that does not end the prompt). */
  readonly sampling: SamplingRow | undefined;
  /** How many of its last rows have a token chosen, each as the draw after the one before; default 1. */
  readonly samples?: number;
}

/**
 * A step: rows of generated tokens, then chunks of prompts. A decoding sequence has one row, or several where the
 * tokens are known or guessed; each is computed as if it were alone.
 */
export interface StepBatch {
  readonly decode: readonly StepSequence[];
  readonly prefill: readonly StepSequence[];
}

/** Sizes that decide how much is launched. */
export interface StepCounts {
  tokens: number;
  decodeRows: number;
  tiles: number;
  logitRows: number;
  splits: number;
  /** Every row that gets a token takes its largest logit. */
  greedy: boolean;
}

export interface StepLimits {
  /** Rows of activations. */
  readonly tokens: number;
  readonly sequences: number;
  /** Most rows whose logits are wanted; default `sequences`. */
  readonly logitRows?: number;
  readonly blocksPerSlot: number;
  readonly queriesPerTile: number;
  /** Parts a decoding context is cut into, at most. */
  readonly maxSplits: number;
  /** Fewest tokens in a part. */
  readonly minSplitTokens: number;
}

const HEAD_WORDS = 8;
const ROW_WORDS = 4;
const TILE_WORDS = 4;
const TOKEN_FROM_SLOT = 0xffffffff;

/**
 * Tokens in one part of a decoding context: at least `minSplitTokens`, whole tiles, and so many that the longest
 * sequence has no more parts than there is room for. The same in every step, because a context cut otherwise is summed
 * in another order: a sequence's numbers must not depend on how long its neighbours are.
 */
export function splitTokens({ blocksPerSlot, maxSplits, minSplitTokens }: StepLimits): number {
  return partTokens(blocksPerSlot * BLOCK_TOKENS, minSplitTokens, maxSplits);
}

/**
 * What changes from step to step, written on the host into one array and uploaded with one call. The parts that a
 * decode step needs come first and the rows last, so that a decode step uploads a short prefix. Block tables have a
 * buffer of their own and are uploaded only where they grew.
 */
export class StepBuffer {
  readonly buffer: GPUBuffer;
  readonly blockTables: GPUBuffer;
  readonly head: BufferRange;
  readonly sampling: BufferRange;
  readonly logitRows: BufferRange;
  readonly tiles: BufferRange;
  readonly rows: BufferRange;
  readonly counts: StepCounts = { tokens: 0, decodeRows: 0, tiles: 0, logitRows: 0, splits: 0, greedy: true };
  readonly #u32: Uint32Array<ArrayBuffer>;
  readonly #f32: Float32Array;
  readonly #at: { sampling: number; logitRows: number; tiles: number; rows: number };
  readonly #tables: Uint32Array<ArrayBuffer>;
  /** Blocks of each slot's table already on the GPU. */
  readonly #uploaded: Uint32Array;
  readonly #splitTokens: number;
  readonly #gpu: Gpu;
  readonly #limits: StepLimits;

  constructor(gpu: Gpu, limits: StepLimits) {
    this.#gpu = gpu;
    this.#limits = limits;
    const align = Math.max(gpu.capabilities.offsetAlignment, 256) / 4;
    const { logitRows: maxLogitRows = limits.sequences } = limits;
    this.#splitTokens = splitTokens(limits);
    // A chunk may begin and end in the middle of a tile.
    const maxTiles = Math.ceil(limits.tokens / limits.queriesPerTile) + 2 * limits.sequences;
    let words = 0;
    const part = (length: number): { at: number; length: number } => {
      const at = words;
      words = Math.ceil((words + length) / align) * align;
      return { at, length };
    };
    const head = part(HEAD_WORDS);
    const sampling = part(maxLogitRows * SAMPLING_WORDS);
    const logitRows = part(maxLogitRows);
    const tiles = part(maxTiles * TILE_WORDS);
    const rows = part(limits.tokens * ROW_WORDS);
    this.buffer = gpu.buffer(
      `step [${words}]`,
      words * 4,
      GPUBufferUsage.STORAGE | GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    );
    const range = ({ at, length }: { at: number; length: number }): BufferRange => ({
      buffer: this.buffer,
      offset: at * 4,
      size: Math.ceil((length * 4) / 16) * 16,
    });
    this.head = range(head);
    this.sampling = range(sampling);
    this.logitRows = range(logitRows);
    this.tiles = range(tiles);
    this.rows = range(rows);
    this.#at = { sampling: sampling.at, logitRows: logitRows.at, tiles: tiles.at, rows: rows.at };
    const memory = new ArrayBuffer(words * 4);
    this.#u32 = new Uint32Array(memory);
    this.#f32 = new Float32Array(memory);
    this.blockTables = gpu.storage(
      `block tables [${limits.sequences}, ${limits.blocksPerSlot}]`,
      limits.sequences * limits.blocksPerSlot * 4,
    );
    this.#tables = new Uint32Array(limits.sequences * limits.blocksPerSlot);
    this.#uploaded = new Uint32Array(limits.sequences);
  }

  /** The first position from which attention is cut into parts, or the last there is. */
  get firstSplit(): number {
    return Math.min(this.#splitTokens, this.#limits.blocksPerSlot * BLOCK_TOKENS - 1);
  }

  /** Forgets a slot's block table; call when another sequence takes the slot. */
  resetSlot(slot: number): void {
    this.#uploaded[slot] = 0;
  }

  /** Writes a step and uploads it. Ordered on the queue after all that was submitted before. */
  upload(batch: StepBatch): StepCounts {
    const { counts } = this;
    counts.tokens = counts.decodeRows = counts.tiles = counts.logitRows = 0;
    counts.greedy = true;
    let longest = 0;
    for (const sequence of batch.decode) {
      const length = sequence.tokensEnd - sequence.tokensBegin;
      longest = Math.max(longest, sequence.position + length);
      for (let i = 0; i < length; i++) this.#row(sequence, i);
      counts.decodeRows += length;
      this.#logits(sequence);
    }
    const { queriesPerTile } = this.#limits;
    for (const sequence of batch.prefill) {
      const length = sequence.tokensEnd - sequence.tokensBegin;
      // Tiles have fixed places in the sequence, so that a row's neighbours in its tile, and how far the tile looks
      // back, do not depend on how the prompt was cut into chunks.
      for (let from = 0; from < length;) {
        const first = sequence.position + from;
        const rows = Math.min(queriesPerTile - (first % queriesPerTile), length - from);
        const at = this.#at.tiles + counts.tiles++ * TILE_WORDS;
        this.#u32[at] = counts.tokens + from;
        this.#u32[at + 1] = rows;
        this.#u32[at + 2] = sequence.slot;
        this.#u32[at + 3] = first;
        from += rows;
      }
      for (let i = 0; i < length; i++) this.#row(sequence, i);
      this.#logits(sequence);
    }
    counts.splits = Math.ceil(longest / this.#splitTokens);
    const head = this.#u32;
    head[0] = counts.tokens;
    head[1] = counts.decodeRows;
    head[2] = counts.tiles;
    head[3] = counts.logitRows;
    head[4] = counts.splits;
    head[5] = this.#splitTokens;
    head[6] = this.#limits.blocksPerSlot;
    const words = this.#at.rows + counts.tokens * ROW_WORDS;
    this.#gpu.queue.writeBuffer(this.buffer, 0, this.#u32, 0, words);
    return counts;
  }

  #row(sequence: StepSequence, i: number): void {
    const position = sequence.position + i;
    const block = Math.floor(position / BLOCK_TOKENS);
    if (block >= this.#uploaded[sequence.slot]) this.#uploadTable(sequence);
    const at = this.#at.rows + this.counts.tokens++ * ROW_WORDS;
    this.#u32[at] = sequence.tokens === undefined ? TOKEN_FROM_SLOT : sequence.tokens[sequence.tokensBegin + i];
    this.#u32[at + 1] = position;
    this.#u32[at + 2] = sequence.slot;
    this.#u32[at + 3] = sequence.blocks[block] * BLOCK_TOKENS + (position % BLOCK_TOKENS);
  }

  #logits({ sampling, samples = 1 }: StepSequence): void {
    if (sampling === undefined) return;
    this.counts.greedy &&= isGreedy(sampling);
    for (let i = 0; i < samples; i++) {
      const row = this.counts.logitRows++;
      this.#u32[this.#at.logitRows + row] = this.counts.tokens - samples + i;
      writeSampling(this.#u32, this.#f32, this.#at.sampling + row * SAMPLING_WORDS, sampling, i);
    }
  }

  #uploadTable({ slot, blocks }: StepSequence): void {
    const from = slot * this.#limits.blocksPerSlot;
    this.#tables.set(blocks, from);
    this.#gpu.queue.writeBuffer(this.blockTables, from * 4, this.#tables, from, blocks.length);
    this.#uploaded[slot] = blocks.length;
  }
}
