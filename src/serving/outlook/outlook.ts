import type { Scheduling } from '../../engine/scheduling.js';
import { forecast } from '../../outlook/forecast.js';
import { Journal, loadOfParts, type Expectation, type RequestRecord } from '../../outlook/journal.js';
import { AnswerLengths } from '../../outlook/lengths.js';
import { StepPrices } from '../../outlook/prices.js';
import { Promises, type Slo } from '../../outlook/promises.js';
import type { ScheduledSequence } from '../../scheduler/sequence.js';
import { quantile } from '../../statistics.js';
import type { Machine } from './machine.js';
import type { OutlookCounters } from '../observer.js';
import { Visit } from './visit.js';

/** Tokens over which a request's gaps are predicted. */
const LOOK_TOKENS = 33;
/** Requests whose TTFTs are compared with what had been forecast, for the margin of promises. */
const RECENT = 64;
/** Fewer say nothing. */
const LEAST = 8;
/** Share of the time that goes into expectations nobody asked for: of them the metrics and the page are made. */
const UNASKED_SHARE = 0.02;
/** Requests that can be asked about. */
const MOST_VISITS = 256;

/** What the server expects of its engine, and remembers of it. */
export class Outlook {
  readonly prices: StepPrices;
  readonly journal = new Journal();
  readonly lengths = new AnswerLengths();
  readonly promises: Promises;
  readonly #visits = new Map<string, Visit>();
  readonly #ratios: number[] = [];
  readonly #metrics: OutlookCounters;
  /** When the next expectation is due that nobody asked for. */
  #dueAt = 0;

  /** @param slo of requests that do not say */
  constructor(
    readonly scheduling: Scheduling,
    readonly machine: Machine,
    metrics: OutlookCounters,
    readonly slo: Slo = {},
  ) {
    this.#metrics = metrics;
    this.prices = new StepPrices(machine.price);
    this.promises = new Promises({
      moment: () => scheduling.moment(),
      price: this.prices.current,
      lengthOf: this.lengths.of,
      margin: () => this.margin,
    });
    scheduling.watch(this.journal);
    scheduling.watch({
      step: (_plan, begin, end) => {
        const { parts } = this.journal.steps.at(-1)!;
        const ms = end - begin;
        const expected = this.prices.observe(loadOfParts(parts), ms);
        if (expected !== undefined) this.#metrics.step(expected, ms);
        for (const { id, samples } of parts) {
          const record = samples > 0 ? this.journal.request(id) : undefined;
          if (record?.firstAt === end) this.#first(record);
        }
      },
      ended: (sequence) => this.#ended(sequence),
    });
  }

  /** How many times as long as expected a first token takes at worst, of the last requests; at least 1. */
  get margin(): number {
    if (this.#ratios.length < LEAST) return 1;
    return Math.max(
      1,
      quantile(
        [...this.#ratios].sort((a, b) => a - b),
        0.95,
      ),
    );
  }

  /** A request comes. @param name that its client knows it by */
  visit(name: string, arrivedAt: number): Visit {
    const visit = new Visit(this, name, arrivedAt);
    this.call(name, visit);
    return visit;
  }

  /** One more name for a request. */
  call(name: string, visit: Visit): void {
    this.#visits.delete(name);
    this.#visits.set(name, visit);
    for (const oldest of this.#visits.keys()) {
      if (this.#visits.size <= 2 * MOST_VISITS) break;
      this.#visits.delete(oldest);
    }
  }

  find(name: string): Visit | undefined {
    return this.#visits.get(name);
  }

  /** The last requests, the newest first, each once. */
  get visits(): Visit[] {
    return [...new Set([...this.#visits.values()].reverse())];
  }

  /**
   * What a sequence that has just been queued can expect, beside what it has waited by now. Looking ahead takes longer
   * the more there are that wait, so where nobody asks it is done now and then.
   */
  expect(sequence: ScheduledSequence, waitedMs: number, asked: boolean): Expectation | undefined {
    const began = performance.now();
    if (!this.prices.known || (!asked && began < this.#dueAt)) return undefined;
    const expected = this.#look(sequence, waitedMs);
    const now = performance.now();
    this.#dueAt = now + (now - began) / UNASKED_SHARE;
    return expected;
  }

  #look(sequence: ScheduledSequence, waitedMs: number): Expectation | undefined {
    const options = { watched: [sequence], tokens: () => LOOK_TOKENS, lengthOf: this.lengths.of };
    const found = forecast(this.scheduling.moment(), this.prices.expected, options).get(sequence);
    if (found?.firstMs === undefined) return undefined;
    const { firstMs, lastMs, tokens } = found;
    return {
      ttftMs: waitedMs + firstMs,
      itlMs: tokens > 1 && lastMs !== undefined ? (lastMs - firstMs) / (tokens - 1) : undefined,
    };
  }

  #first({ sequence, arrivedAt, firstAt, expected }: RequestRecord): void {
    this.promises.first(sequence, firstAt!);
    const ttftMs = firstAt! - arrivedAt;
    if (expected?.ttftMs === undefined) return;
    this.#metrics.ttft(expected.ttftMs, ttftMs);
    // What steps take beyond what is expected is in the price of promises already.
    this.#ratios.push(ttftMs / expected.ttftMs / this.prices.pace);
    if (this.#ratios.length > RECENT) this.#ratios.shift();
  }

  #ended(sequence: ScheduledSequence): void {
    this.promises.drop(sequence);
    const record = this.journal.request(sequence.id);
    if (record === undefined || record.tokens === 0) return;
    this.lengths.note(record.tokens);
    this.#metrics.ended(record);
  }
}
