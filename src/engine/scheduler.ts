import { BlockPool, blocksFor } from '../cache/block-pool.js';

/** What the scheduler knows of a sequence: lengths and places, no token and no text. */
export class ScheduledSequence {
  /** Prompt tokens whose forward pass has been scheduled. */
  prefilled = 0;
  /** Tokens whose sampling has been scheduled. */
  generated = 0;
  /** Which block table and sampler state it uses; -1 while it waits. */
  slot = -1;
  /** Its cache blocks in order of position. */
  readonly blocks: number[] = [];
  finished = false;

  /**
   * @param promptLength tokens of the prompt, at least one
   * @param maxTokens most tokens to generate, at least one
   */
  constructor(
    readonly id: number,
    readonly promptLength: number,
    readonly maxTokens: number,
  ) {}

  /**
   * Position of the token that the decode step scheduled last feeds in: the step that makes generated token g (the
   * first is 0, made by prefill) takes token g - 1, which stands g - 1 places behind the prompt.
   */
  get decodePosition(): number {
    return this.promptLength + this.generated - 2;
  }
}

/** Prompt tokens [begin, end) of one sequence; its first token is sampled where `end` is the prompt's end. */
export interface PrefillChunk {
  readonly sequence: ScheduledSequence;
  readonly begin: number;
  readonly end: number;
}

/** One forward pass: one token for each decoding sequence, or chunks of prompts. */
export interface StepPlan {
  readonly decode: readonly ScheduledSequence[];
  readonly prefill: readonly PrefillChunk[];
}

export interface SchedulerLimits {
  readonly sequences: number;
  readonly blocks: number;
  readonly blockTokens: number;
  /** Most prompt tokens in one step. */
  readonly stepTokens: number;
}

/**
 * Decides what each forward pass does. A pure state machine: it sees lengths and block counts, never a GPU, a clock or
 * a token, so that an engine and a simulator can drive the same code.
 *
 * Requests are taken first come, first served. Prompts go before decoding (in chunks of at most `stepTokens`), then
 * all running sequences decode together. A sequence is admitted only when the blocks for its whole life are free, so
 * none ever has to be stopped for want of memory.
 */
export class Scheduler {
  readonly #waiting: ScheduledSequence[] = [];
  readonly #running: ScheduledSequence[] = [];
  readonly #slots: number[] = [];
  readonly #pool: BlockPool;

  constructor(private readonly limits: SchedulerLimits) {
    this.#pool = new BlockPool(limits.blocks);
    for (let slot = limits.sequences - 1; slot >= 0; slot--) this.#slots.push(slot);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get running(): number {
    return this.#running.length;
  }

  get freeBlocks(): number {
    return this.#pool.free;
  }

  /** Blocks a sequence holds while it runs. The last token is never fed back, so it needs no place. */
  blocksNeeded(sequence: ScheduledSequence): number {
    return blocksFor(sequence.promptLength + sequence.maxTokens - 1, this.limits.blockTokens);
  }

  /** Queues a sequence. @throws RangeError if it could never run */
  add(sequence: ScheduledSequence): void {
    const needed = this.blocksNeeded(sequence);
    if (needed > this.limits.blocks) {
      throw new RangeError(`sequence ${sequence.id} needs ${needed} cache blocks of ${this.limits.blocks}`);
    }
    this.#waiting.push(sequence);
  }

  /** Ends a sequence, running or waiting, and frees its slot and blocks. Safe to call twice. */
  finish(sequence: ScheduledSequence): void {
    if (sequence.finished) return;
    sequence.finished = true;
    const waiting = this.#waiting.indexOf(sequence);
    if (waiting >= 0) this.#waiting.splice(waiting, 1);
    const running = this.#running.indexOf(sequence);
    if (running < 0) return;
    this.#running.splice(running, 1);
    this.#slots.push(sequence.slot);
    for (const block of sequence.blocks) this.#pool.release(block);
    sequence.blocks.length = 0;
  }

  /** The next forward pass, already counted as done; undefined when there is nothing to do until a sequence ends or comes. */
  next(): StepPlan | undefined {
    this.#admit();
    const prefill: PrefillChunk[] = [];
    let budget = this.limits.stepTokens;
    for (const sequence of this.#running) {
      const left = sequence.promptLength - sequence.prefilled;
      if (left === 0 || budget === 0) continue;
      const begin = sequence.prefilled;
      const end = begin + Math.min(left, budget);
      budget -= end - begin;
      sequence.prefilled = end;
      if (end === sequence.promptLength) sequence.generated = 1;
      prefill.push({ sequence, begin, end });
    }
    if (prefill.length > 0) return { decode: [], prefill };
    const decode = this.#running.filter((sequence) => sequence.generated < sequence.maxTokens);
    if (decode.length === 0) return undefined;
    for (const sequence of decode) sequence.generated++;
    return { decode, prefill };
  }

  #admit(): void {
    while (this.#waiting.length > 0 && this.#slots.length > 0) {
      const needed = this.blocksNeeded(this.#waiting[0]);
      if (needed > this.#pool.free) return;
      const sequence = this.#waiting.shift()!;
      sequence.slot = this.#slots.pop()!;
      for (let i = 0; i < needed; i++) sequence.blocks.push(this.#pool.allocate()!);
      this.#running.push(sequence);
    }
  }
}
