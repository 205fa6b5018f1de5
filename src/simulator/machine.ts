import type { Scheduler } from '../scheduler/scheduler.js';
import type { ScheduledSequence } from '../scheduler/sequence.js';
import type { Moment } from '../scheduler/moment.js';
import { sampledBy } from '../scheduler/step-load.js';
import type { PrefillChunk } from '../scheduler/step-plan.js';
import { RANK, type EventQueue, type ScheduledEvent } from './event-queue.js';
import { loadOf, type StepLoad, type StepPrice } from './price/price.js';
import { onlyDecodes, priceStretch, type PlannedStep, type Stretch } from './stretch.js';

export interface MachineOptions {
  readonly scheduler: Scheduler;
  readonly price: StepPrice;
  /**
   * Steps planned ahead, the running one included. With 2, as this engine has it, what arrives while a step runs joins
   * the one after the next; with 1, as in vLLM, the next.
   */
  readonly depth: number;
  /** False to take every step by itself; what comes out is the same, only later. */
  readonly stretches?: boolean;
  /** A sequence has got tokens, at the times `ends[from..to)`. */
  readonly onTokens: (sequence: ScheduledSequence, ends: readonly number[], from: number, to: number) => void;
  /** A sequence has its last token. It is not finished by that: its blocks may be held for a transfer. */
  readonly onDone: (sequence: ScheduledSequence) => void;
  /** A sequence whose prompt was computed elsewhere has got its blocks, which can be written to. */
  readonly onReserved?: (sequence: ScheduledSequence) => void;
  /** A step has begun that will take so many seconds; not called for those of a stretch. */
  readonly onStep?: (load: StepLoad, seconds: number) => void;
  /** The same of a step with prompts, with what is in it. */
  readonly onPrompts?: (prefill: readonly PrefillChunk[], seconds: number) => void;
}

/** What a machine has done. */
export interface MachineCounts {
  steps: number;
  /** Seconds in which a step ran, and those of them in which prompts were in it. */
  busySeconds: number;
  promptSeconds: number;
  promptTokens: number;
  decodedTokens: number;
  /** Rows whose logits were wanted. */
  logitRows: number;
  /** Keys read, each part of a prompt and each decoding row its own; and pairs of a query and a key it sees. */
  keys: number;
  pairs: number;
  /** Blocks of the cache that are held, and sequences that wait, times the seconds of the steps meanwhile. */
  blockSeconds: number;
  waitingSeconds: number;
}

export const noCounts = (): MachineCounts => ({
  steps: 0,
  busySeconds: 0,
  promptSeconds: 0,
  promptTokens: 0,
  decodedTokens: 0,
  logitRows: 0,
  keys: 0,
  pairs: 0,
  blockSeconds: 0,
  waitingSeconds: 0,
});

/** Most steps of a stretch. */
const STRETCH = 64;
/** Steps of it that are priced at first; twice as many each time it comes that far, as somebody may come in between. */
const PRICED = 4;

/** One machine: the engine's scheduler, driven by a clock that adds up the price of steps. Times are seconds. */
export class Machine {
  readonly counts = noCounts();
  readonly scheduler: Scheduler;
  #planned: PlannedStep[] = [];
  #end: ScheduledEvent | undefined;
  #stretch: Stretch | undefined;
  #woken = false;
  /** Sequences whose keys and values are to come, as long as they have no blocks. */
  readonly #unreserved = new Set<ScheduledSequence>();
  readonly #events: EventQueue;
  readonly #options: MachineOptions;

  constructor(events: EventQueue, options: MachineOptions) {
    this.#events = events;
    this.#options = options;
    this.scheduler = options.scheduler;
  }

  /** Whether no step runs. */
  get idle(): boolean {
    return this.#planned.length === 0;
  }

  /** Queues a sequence. @throws RangeError if it could never run */
  add(sequence: ScheduledSequence): void {
    this.sync();
    this.scheduler.add(sequence);
    if (sequence.transferred) this.#unreserved.add(sequence);
    this.#wake();
  }

  /** Ends a sequence, whatever its state. */
  finish(sequence: ScheduledSequence): void {
    this.sync();
    this.#unreserved.delete(sequence);
    this.scheduler.finish(sequence);
    this.#wake();
  }

  /** Lets a sequence decode whose keys and values have come. */
  release(sequence: ScheduledSequence): void {
    this.sync();
    sequence.held = false;
    this.#wake();
  }

  /** Brings the books up to now, for who wants to look at them. */
  sync(): void {
    const stretch = this.#stretch;
    if (stretch === undefined) return;
    stretch.event.cancelled = true;
    let ended = 0;
    // The last end is an event of its own, which will come if it has not yet.
    while (ended < stretch.most - 1 && stretch.ends[ended] <= this.#events.now) {
      if (++ended === stretch.ends.length) priceStretch(stretch, ended + 1, this.#options);
    }
    this.#leaveStretch(ended);
    this.#end = this.#events.at(stretch.ends[ended], RANK.end, () => this.#endStep());
  }

  /**
   * A machine that runs looks at its queue when a step ends. One that stands still does at once, but after whatever
   * else happens at this very moment, so that requests of one moment come into one step.
   */
  #wake(): void {
    if (!this.idle || this.#woken) return;
    this.#woken = true;
    this.#events.at(this.#events.now, RANK.control, () => {
      this.#woken = false;
      if (!this.idle) return;
      this.#plan();
      if (this.#planned.length > 0) this.#begin();
    });
  }

  /** Where it stands, for who wants to look ahead. */
  moment(): Moment {
    this.sync();
    const { depth } = this.#options;
    const [first] = this.#planned;
    const elapsed = first === undefined ? 0 : first.seconds - (this.#end!.time - this.#events.now);
    return { scheduler: this.scheduler, underWay: this.#planned, elapsedMs: 1000 * elapsed, depth };
  }

  /** Plans steps as far ahead as the machine does. */
  #plan(): void {
    while (this.#planned.length < this.#options.depth) {
      const plan = this.scheduler.next();
      this.#tellReserved();
      if (plan === undefined) return;
      const load = loadOf(plan);
      this.#planned.push({
        sampled: sampledBy(plan),
        prefill: plan.prefill,
        load,
        seconds: this.#options.price.seconds(load),
      });
    }
  }

  #tellReserved(): void {
    for (const sequence of this.#unreserved) {
      if (sequence.slot < 0) continue;
      this.#unreserved.delete(sequence);
      this.#options.onReserved?.(sequence);
    }
  }

  /** Lets the first of the planned steps run. */
  #begin(): void {
    const step = this.#planned[0];
    this.#count(step);
    this.#options.onStep?.(step.load, step.seconds);
    if (step.prefill.length > 0) this.#options.onPrompts?.(step.prefill, step.seconds);
    this.#end = this.#events.at(this.#events.now + step.seconds, RANK.end, () => this.#endStep());
  }

  #endStep(): void {
    const { sampled } = this.#planned.shift()!;
    if (this.#planned.length > 0) this.#begin();
    const ends = [this.#events.now];
    for (const sequence of sampled) {
      if (sequence.finished) continue;
      this.scheduler.deliver(sequence);
      this.#options.onTokens(sequence, ends, 0, 1);
    }
    for (const sequence of sampled) {
      if (!sequence.finished && sequence.delivered >= sequence.maxTokens) this.#options.onDone(sequence);
    }
    const stood = this.#planned.length === 0;
    this.#plan();
    if (stood && this.#planned.length > 0) this.#begin();
    this.#enterStretch();
  }

  /**
   * Where nothing but decoding is planned and nobody can end soon, the next steps are taken together. Step by step, the
   * end of each would plan one more like the last; that is what `Scheduler.advance` does for all of them.
   */
  #enterStretch(): void {
    const planned = this.#planned;
    const { stretches = true, depth } = this.#options;
    if (!stretches || planned.length < depth || this.#woken) return;
    const rows = planned[0].sampled.length;
    if (!planned.every((step) => onlyDecodes(step, rows))) return;
    const most = this.scheduler.decodeStretch(rows, STRETCH);
    if (most < 2) return;
    const begun = { most, steps: [...planned], ends: [this.#end!.time] };
    priceStretch(begun, PRICED, this.#options);
    this.#end!.cancelled = true;
    const event = this.#events.at(begun.ends.at(-1)!, RANK.end, () => this.#comeFar(stretch));
    const stretch: Stretch = { ...begun, event };
    this.#stretch = stretch;
  }

  /** The last step of a stretch that is priced has ended: more are, or it was the last. */
  #comeFar(stretch: Stretch): void {
    const { most, ends, event } = stretch;
    if (ends.length < most) {
      priceStretch(stretch, 2 * ends.length, this.#options);
      this.#events.again(event, ends.at(-1)!);
      return;
    }
    this.#leaveStretch(most);
    this.#end = this.#events.at(this.#events.now + this.#planned[0].seconds, RANK.end, () => this.#endStep());
    this.#enterStretch();
  }

  /** Makes the books say that so many steps of the stretch have ended and the next one runs. */
  #leaveStretch(ended: number): void {
    const { steps, ends } = this.#stretch!;
    this.#stretch = undefined;
    this.scheduler.advance(ended);
    if (ended > 0) {
      for (const sequence of steps[0].sampled) {
        this.scheduler.deliver(sequence, ended);
        this.#options.onTokens(sequence, ends, 0, ended);
      }
    }
    this.#planned = steps.slice(ended, ended + this.#options.depth);
    for (let at = 1; at <= ended; at++) this.#count(steps[at]);
  }

  #count({ load: { decodeRows, decodeKeys, prompts, logitRows }, seconds }: PlannedStep): void {
    const { counts } = this;
    counts.steps++;
    counts.busySeconds += seconds;
    counts.blockSeconds += (this.scheduler.blocks - this.scheduler.freeBlocks) * seconds;
    counts.waitingSeconds += this.scheduler.waiting * seconds;
    counts.decodedTokens += decodeRows;
    counts.logitRows += logitRows;
    counts.keys += decodeKeys;
    counts.pairs += decodeKeys;
    if (prompts.length > 0) counts.promptSeconds += seconds;
    for (const { begin, end } of prompts) {
      counts.promptTokens += end - begin;
      counts.keys += end;
      counts.pairs += (end * (end + 1) - begin * (begin + 1)) / 2;
    }
  }
}
