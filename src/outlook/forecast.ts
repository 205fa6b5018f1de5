import type { Moment } from '../scheduler/moment.js';
import type { Scheduler } from '../scheduler/scheduler.js';
import type { ScheduledSequence } from '../scheduler/sequence.js';
import { loadOf, sampledBy, type StepLoad } from '../scheduler/step-load.js';

/** Milliseconds of a step. */
export type StepMs = (load: StepLoad) => number;

/** A sequence that is not among the scheduler's yet, and when it will be, in milliseconds from now. */
export interface Newcomer {
  readonly sequence: ScheduledSequence;
  readonly inMs: number;
}

/** What becomes of a sequence. Milliseconds from now; undefined where that lies beyond what was looked at. */
export interface Expected {
  /** When its first token comes; undefined too where it has come already. */
  firstMs: number | undefined;
  /** When the last of the tokens comes that were looked at. */
  lastMs: number | undefined;
  /** How many tokens it has then. */
  tokens: number;
  /** Whether that is its end. */
  ended: boolean;
}

export interface ForecastOptions {
  readonly newcomers?: readonly Newcomer[];
  /** Tokens a sequence is taken to have at its end; default its most. */
  readonly lengthOf?: (sequence: ScheduledSequence) => number;
  /** Whoever is looked at: it ends when these have; default everybody. */
  readonly watched?: readonly ScheduledSequence[];
  /** Tokens of such a one after which no more is looked at; default all. */
  readonly tokens?: (sequence: ScheduledSequence) => number;
  /** Milliseconds from now after which nothing is looked at. */
  readonly untilMs?: number;
}

/** Steps and stretches looked ahead at most: some ten milliseconds of work. */
const MOST = 1500;

/**
 * What will happen if nobody else comes: a copy of the scheduler goes on with priced steps, so every rule of the policy,
 * of chunks and of memory is the engine's own. Pure; stretches of decoding are priced at their middle, since a step's
 * time is linear in what it reads.
 *
 * @param price of a step, in milliseconds
 */
export function forecast(
  moment: Moment,
  price: StepMs,
  options: ForecastOptions = {},
): ReadonlyMap<ScheduledSequence, Expected> {
  return new Forecast(moment, price, options).run();
}

interface Pending {
  readonly sampled: readonly ScheduledSequence[];
  readonly load: StepLoad;
  readonly ms: number;
}

class Forecast {
  readonly #scheduler: Scheduler;
  /** By the copies. */
  readonly #expected = new Map<ScheduledSequence, Expected>();
  readonly #originals = new Map<ScheduledSequence, ScheduledSequence>();
  readonly #coming: { readonly copy: ScheduledSequence; readonly inMs: number }[];
  readonly #lengths = new Map<ScheduledSequence, number>();
  /** Tokens after which a sequence is not looked at any more. */
  readonly #enough = new Map<ScheduledSequence, number>();
  readonly #watched: Set<ScheduledSequence>;
  #pending: Pending[];
  #now: number;
  readonly #moment: Moment;
  readonly #price: StepMs;
  readonly #options: ForecastOptions;

  constructor(moment: Moment, price: StepMs, options: ForecastOptions) {
    this.#moment = moment;
    this.#price = price;
    this.#options = options;
    const { newcomers = [], watched } = options;
    const { scheduler, copies } = moment.scheduler.fork();
    this.#scheduler = scheduler;
    for (const [original, copy] of copies) this.#enter(original, copy);
    this.#coming = newcomers
      .map(({ sequence, inMs }) => ({ copy: this.#enter(sequence, sequence.copy()), inMs }))
      .sort((a, b) => a.inMs - b.inMs);
    const wanted = new Set(watched);
    this.#watched = new Set(
      [...this.#originals].flatMap(([copy, original]) => (watched === undefined || wanted.has(original) ? [copy] : [])),
    );
    this.#pending = moment.underWay.map(({ sampled, load }) =>
      this.#priced(
        sampled.flatMap((sequence) => copies.get(sequence) ?? []),
        load,
      ),
    );
    this.#now = -moment.elapsedMs;
  }

  run(): ReadonlyMap<ScheduledSequence, Expected> {
    const { untilMs = Infinity } = this.#options;
    // While a step runs nobody looks at the queue: who came since it began is planned for when it ends.
    let looks = this.#pending.length === 0;
    for (let count = 0; count < MOST && this.#watched.size > 0 && this.#now < untilMs; count++) {
      this.#arrive();
      if (looks) this.#plan();
      looks = true;
      if (this.#pending.length === 0) {
        if (this.#coming.length === 0) break;
        this.#now = Math.max(this.#now, this.#coming[0].inMs);
      } else if (!this.#stretch()) this.#step();
    }
    return new Map([...this.#expected].map(([copy, expected]) => [this.#originals.get(copy)!, expected]));
  }

  #enter(original: ScheduledSequence, copy: ScheduledSequence): ScheduledSequence {
    this.#originals.set(copy, original);
    this.#enough.set(copy, this.#options.tokens?.(original) ?? Infinity);
    // Guesses come true or not; a token a step is what is sure.
    copy.drafts = 0;
    this.#lengths.set(copy, Math.max(copy.delivered + 1, this.#options.lengthOf?.(original) ?? copy.maxTokens));
    this.#expected.set(copy, { firstMs: undefined, lastMs: undefined, tokens: copy.delivered, ended: false });
    return copy;
  }

  #arrive(): void {
    while (this.#coming.length > 0 && this.#coming[0].inMs <= Math.max(0, this.#now)) {
      this.#scheduler.add(this.#coming.shift()!.copy);
    }
  }

  #plan(): void {
    while (this.#pending.length < this.#moment.depth) {
      const plan = this.#scheduler.next();
      if (plan === undefined) return;
      this.#pending.push(this.#priced(sampledBy(plan), loadOf(plan)));
    }
  }

  #priced(sampled: readonly ScheduledSequence[], load: StepLoad): Pending {
    return { sampled, load, ms: this.#price(load) };
  }

  #step(): void {
    const { sampled, ms } = this.#pending.shift()!;
    // What runs longer than it should may end at any time.
    this.#now = Math.max(0, this.#now + ms);
    for (const copy of sampled) if (!copy.finished) this.#deliver(copy, 1);
  }

  #deliver(copy: ScheduledSequence, tokens: number): void {
    const expected = this.#expected.get(copy)!;
    this.#scheduler.deliver(copy, tokens);
    if (copy.delivered - tokens === 0) expected.firstMs = this.#now;
    expected.lastMs = this.#now;
    expected.tokens = copy.delivered;
    if (copy.delivered >= this.#lengths.get(copy)!) {
      expected.ended = true;
      this.#scheduler.finish(copy);
      this.#watched.delete(copy);
    } else if (copy.delivered >= this.#enough.get(copy)!) this.#watched.delete(copy);
  }

  /** Takes steps of pure decoding together, as long as nobody comes or ends. @returns false where the next is not one */
  #stretch(): boolean {
    const pending = this.#pending;
    const { sampled, load, ms } = pending[0];
    const rows = sampled.length;
    if (pending.length < this.#moment.depth || !pending.every((step) => decodesOnly(step, rows))) return false;
    let most = Math.min(...sampled.map((copy) => this.#left(copy)));
    const next = this.#coming[0]?.inMs ?? Infinity;
    if (next < Infinity) most = Math.min(most, Math.floor((next - this.#now) / ms));
    const steps = most < 2 ? 0 : this.#scheduler.decodeStretch(rows, most);
    if (steps < 2) return false;
    this.#scheduler.advance(steps);
    this.#now = Math.max(0, this.#now + steps * this.#price(after(load, (steps - 1) / 2)));
    for (const copy of sampled) this.#deliver(copy, steps);
    this.#pending = pending.map((step) => {
      const later = after(step.load, steps);
      return this.#priced(step.sampled, later);
    });
    return true;
  }

  /** Tokens until something happens to a sequence. */
  #left(copy: ScheduledSequence): number {
    const tokens = this.#enough.get(copy)!;
    const end = this.#lengths.get(copy)! - copy.delivered;
    return this.#watched.has(copy) && tokens > copy.delivered ? Math.min(end, tokens - copy.delivered) : end;
  }
}

/** A step of decoding so many steps later. */
const after = (load: StepLoad, steps: number): StepLoad => ({
  ...load,
  decodeKeys: load.decodeKeys + steps * load.decodeRows,
});

const decodesOnly = ({ sampled, load }: Pending, rows: number): boolean =>
  load.prompts.length === 0 &&
  load.decodeRows === rows &&
  sampled.length === rows &&
  sampled.every(({ finished, held, slot, delivered }) => !finished && !held && slot >= 0 && delivered > 0);
