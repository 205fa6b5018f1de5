import { BlockPool, blocksFor } from './block-pool.js';
import type { SchedulerCounts, SchedulerLimits, SchedulerOptions } from './limits.js';
import { chunked } from './policies/chunked.js';
import type { Policy, PolicyOptions } from './policies/policy.js';
import { Reservations, type Reservation, type ReservationOptions } from './reservations.js';
import { insertInOrder, remove, type ScheduledSequence } from './sequence.js';
import { Draft } from './step-draft.js';
import type { StepPlan } from './step-plan.js';

export type { SchedulerCounts, SchedulerLimits, SchedulerOptions } from './limits.js';

/**
 * Decides what each forward pass does. A pure state machine: it sees lengths and block counts, never a GPU, a clock or
 * a token, so that an engine and a simulator can drive the same code: `next` for each step, `deliver` for the tokens it
 * made, `finish` where a sequence ends.
 *
 * Requests are served by priority, then first come, first served, and nobody overtakes a request that waits for memory.
 * A sequence gets the blocks of its prompt when it is admitted and further ones as it grows. When there is none left,
 * the last in the order of service gives up its blocks and waits; later its prompt is computed again like a prompt, and
 * what it had generated like generated tokens, so that its numbers stay what they were. The first in the order never
 * has to wait, so that every step brings somebody closer to the end.
 */
export class Scheduler {
  readonly counts: SchedulerCounts = { preemptions: 0, prefixQueriedTokens: 0, prefixHitTokens: 0 };
  readonly #waiting: ScheduledSequence[] = [];
  readonly #running: ScheduledSequence[] = [];
  readonly #slots: number[] = [];
  readonly #pool: BlockPool;
  readonly #reservations: Reservations;
  readonly #limits: Required<SchedulerLimits>;
  readonly #policy: Policy;
  readonly #options: PolicyOptions;
  #arrivals = 0;

  /** @param like one whose cache it begins with a copy of */
  constructor(limits: SchedulerLimits, options: SchedulerOptions = {}, like?: Scheduler) {
    const { policy = chunked, decodeSloMs = 50, cost = () => 0 } = options;
    const { reserve = Math.floor(limits.blocks / 2), names } = options;
    const { sequences, decodeRows = sequences, chunk = limits.stepTokens } = limits;
    this.#limits = { ...limits, decodeRows, chunk };
    this.#policy = policy;
    this.#options = { decodeSloMs, cost };
    this.#pool = like ? like.#pool.copy() : new BlockPool(limits.blocks, names);
    this.#reservations = new Reservations(this.#pool, reserve);
    for (let slot = sequences - 1; slot >= 0; slot--) this.#slots.push(slot);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get running(): number {
    return this.#running.length;
  }

  /** All blocks of the cache. */
  get blocks(): number {
    return this.#limits.blocks;
  }

  /** Blocks no sequence holds, those included that keep a prompt's content. */
  get freeBlocks(): number {
    return this.#pool.free;
  }

  /** What is set aside for content from elsewhere. */
  get reserved(): Pick<Reservations, 'blocks' | 'count'> {
    return this.#reservations;
  }

  /** Whether the content of a block of this name can be found. */
  has(name: string): boolean {
    return this.#pool.find(name) !== undefined;
  }

  /**
   * Sets blocks aside for content that comes from elsewhere, a block a name. Sequences that run take them back when they
   * need them, the last first, and so does a newcomer that came before, so that a reservation keeps nobody waiting who
   * is served before it.
   *
   * @returns undefined where there is no room
   */
  reserve(names: readonly string[], options?: ReservationOptions): Reservation | undefined {
    return this.#reservations.make(names, this.#arrivals++, this.#watermark(), options);
  }

  /** Blocks a sequence holds at the end of its life. */
  blocksNeeded(sequence: ScheduledSequence): number {
    return blocksFor(sequence.lifeTokens, this.#limits.blockTokens);
  }

  /** Queues a sequence. @throws RangeError if it could never run */
  add(sequence: ScheduledSequence): void {
    const needed = this.blocksNeeded(sequence);
    if (needed > this.#limits.blocks) {
      throw new RangeError(`sequence ${sequence.id} needs ${needed} cache blocks of ${this.#limits.blocks}`);
    }
    sequence.arrival = this.#arrivals++;
    insertInOrder(this.#waiting, sequence);
  }

  /**
   * Takes note that the host has got `tokens` tokens of a step: one, or more where guesses came true. Once for each
   * sequence that the step sampled for, unless it has been finished.
   */
  deliver(sequence: ScheduledSequence, tokens = 1): void {
    sequence.delivered += tokens;
    if (!sequence.hostStepped) return;
    // Only now is it known how many tokens the step made. What was computed past them will be computed again.
    sequence.generated = sequence.delivered;
    sequence.computed = Math.min(sequence.computed, sequence.promptLength + sequence.generated - 1);
  }

  /** Ends a sequence, running or waiting, and frees its slot and blocks. Safe to call twice. */
  finish(sequence: ScheduledSequence): void {
    if (sequence.finished) return;
    sequence.finished = true;
    if (!remove(this.#waiting, sequence) && remove(this.#running, sequence)) this.#vacate(sequence);
  }

  /**
   * A scheduler in the same state with sequences of its own, to look ahead with. What is reserved stays taken there.
   *
   * @returns with it the copy of each sequence that waits or runs
   */
  fork(): { readonly scheduler: Scheduler; readonly copies: ReadonlyMap<ScheduledSequence, ScheduledSequence> } {
    const scheduler = new Scheduler(this.#limits, this.options, this);
    const copies = new Map([...this.#waiting, ...this.#running].map((sequence) => [sequence, sequence.copy()]));
    scheduler.#waiting.push(...this.#waiting.map((sequence) => copies.get(sequence)!));
    scheduler.#running.push(...this.#running.map((sequence) => copies.get(sequence)!));
    scheduler.#slots.splice(0, this.#limits.sequences, ...this.#slots);
    scheduler.#arrivals = this.#arrivals;
    return { scheduler, copies };
  }

  /** Takes note that the cache has this content from before; for who begins in the middle. */
  keep(blockName: string): void {
    this.#pool.keep(blockName);
  }

  get limits(): Readonly<Required<SchedulerLimits>> {
    return this.#limits;
  }

  get options(): Readonly<SchedulerOptions> {
    return { policy: this.#policy, ...this.#options };
  }

  /** The next forward pass, already counted as done; undefined when there is nothing to do until a token, an end or a request comes. */
  next(): StepPlan | undefined {
    const draft = new Draft(this.#limits, this.#running, this.#waiting, {
      admit: (sequence) => this.#admit(sequence),
      grow: (sequence, tokens) => this.#grow(sequence, tokens),
      preempt: (sequence) => this.#preempt(sequence),
      publish: (sequence) => this.#publish(sequence),
    });
    this.#policy(draft, this.#options);
    return draft.finished();
  }

  /**
   * How many steps of pure decoding can follow, a row for each sequence that is not held, until one of them is at its
   * last token or memory runs out. Pure decoding is most of what serving does; a simulator takes such steps in one go by
   * `advance` and ends up where `next` would have brought it.
   *
   * @param rows sequences in the step before
   * @param most an upper bound
   * @returns 0 where the next step may look otherwise
   */
  decodeStretch(rows: number, most: number): number {
    const { decodeRows, stepTokens } = this.#limits;
    if (this.#waiting.length > 0 || rows > Math.min(decodeRows, stepTokens)) return 0;
    let steps = most;
    let active = 0;
    for (const { held, promptLength, maxTokens, generated, computed, hostStepped } of this.#running) {
      if (held) continue;
      active++;
      if (hostStepped || generated >= maxTokens || computed !== promptLength + generated - 1) return 0;
      steps = Math.min(steps, maxTokens - generated);
    }
    if (active !== rows) return 0;
    while (steps > 0 && this.#blocksToAdvance(steps) > this.#pool.free) steps >>= 1;
    return steps;
  }

  /** Counts so many steps of pure decoding as planned, at most what `decodeStretch` said. Tokens are delivered as ever. */
  advance(steps: number): void {
    for (const sequence of this.#running) {
      if (sequence.held) continue;
      this.#grow(sequence, sequence.computed + steps);
      sequence.computed += steps;
      sequence.generated += steps;
    }
  }

  #blocksToAdvance(steps: number): number {
    return this.#running.reduce(
      (sum, { held, computed, blocks }) =>
        held ? sum : sum + Math.max(0, blocksFor(computed + steps, this.#limits.blockTokens) - blocks.length),
      0,
    );
  }

  /** Gives the first waiting sequence a slot and the blocks of all that is known of it. @returns whether it did */
  #admit(sequence: ScheduledSequence): boolean {
    const { blockTokens } = this.#limits;
    const { promptLength, generated } = sequence;
    // Tokens still under way are needed to go on from.
    if (this.#slots.length === 0 || !sequence.known) return false;
    const hits = this.#hits(sequence);
    const known = blocksFor(promptLength + generated, blockTokens);
    if (!this.#makeRoom(sequence, known - hits.length, hits)) return false;
    for (const block of hits) this.#pool.share(block);
    sequence.blocks.push(...hits);
    this.#grow(sequence, promptLength + generated);
    sequence.slot = this.#slots.pop()!;
    const brought = sequence.transferred && sequence.admissions === 0 ? promptLength : 0;
    sequence.computed = Math.max(hits.length * blockTokens, brought);
    sequence.published = hits.length;
    if (sequence.admissions++ === 0) {
      sequence.cachedTokens = hits.length * blockTokens;
      if (sequence.blockNames.length > 0) this.counts.prefixQueriedTokens += promptLength;
      this.counts.prefixHitTokens += hits.length * blockTokens;
    }
    remove(this.#waiting, sequence);
    insertInOrder(this.#running, sequence);
    return true;
  }

  /** Blocks that stay free where somebody runs: everybody's next, or a newcomer would soon send others away. */
  #watermark(): number {
    const { length } = this.#running;
    return length === 0 ? 0 : Math.max(length, Math.ceil(this.#limits.blocks / 100));
  }

  /**
   * Sees to it that a newcomer gets so many blocks beside its hits: by taking reservations back that come after it, or
   * any where nobody runs, if that is enough.
   */
  #makeRoom(sequence: ScheduledSequence, blocks: number, hits: readonly number[]): boolean {
    const place = this.#running.length === 0 ? undefined : sequence;
    const wanted = blocks + this.#watermark();
    const room = (): number => this.#pool.free - hits.filter((block) => this.#pool.holders(block) === 0).length;
    if (wanted > room() && wanted > room() + this.#reservations.wouldFree(place, hits)) return false;
    while (wanted > room() && this.#reservations.takeBack(place));
    return wanted <= room();
  }

  /** The blocks in the cache that hold the beginning of a prompt. */
  #hits({ blockNames, promptLength, generated }: ScheduledSequence): number[] {
    // The first token is sampled where the prompt's last one is computed, which must then not be skipped.
    const most = blocksFor(generated > 0 ? promptLength + 1 : promptLength, this.#limits.blockTokens) - 1;
    const hits: number[] = [];
    for (const name of blockNames.slice(0, most)) {
      const block = this.#pool.find(name);
      if (block === undefined) break;
      hits.push(block);
    }
    return hits;
  }

  /** Lets a sequence have blocks for this many tokens. @returns false, with what there was, when they run out */
  #grow({ blocks }: ScheduledSequence, tokens: number): boolean {
    const needed = blocksFor(tokens, this.#limits.blockTokens);
    while (blocks.length < needed) {
      const block = this.#pool.allocate();
      if (block !== undefined) blocks.push(block);
      else if (!this.#reservations.takeBack()) return false;
    }
    return true;
  }

  /** Takes a running sequence's slot and blocks away and lets it wait in its old place. */
  #preempt(sequence: ScheduledSequence): void {
    this.counts.preemptions++;
    remove(this.#running, sequence);
    this.#vacate(sequence);
    insertInOrder(this.#waiting, sequence);
  }

  #vacate(sequence: ScheduledSequence): void {
    this.#slots.push(sequence.slot);
    // The tail first, so that of a prompt that is kept the beginning stays longest.
    for (const block of sequence.blocks.reverse()) this.#pool.release(block);
    sequence.blocks.length = 0;
    sequence.slot = -1;
    sequence.computed = sequence.published = 0;
  }

  /**
   * Names the blocks that prompt tokens fill, as soon as their computation is planned: whoever is admitted later comes
   * later on the GPU, or in the same step, in which a layer writes all keys and values before it reads any.
   */
  #publish(sequence: ScheduledSequence): void {
    const full = Math.min(sequence.blockNames.length, Math.floor(sequence.computed / this.#limits.blockTokens));
    for (; sequence.published < full; sequence.published++) {
      this.#pool.publish(sequence.blocks[sequence.published], sequence.blockNames[sequence.published]);
    }
  }
}
