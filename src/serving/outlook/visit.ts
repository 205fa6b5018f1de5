import type { GenerationResult } from '../../engine/api.js';
import type { Scheduling } from '../../engine/scheduling.js';
import type { Expectation, Journal, RequestRecord } from '../../outlook/journal.js';
import type { StepPrices } from '../../outlook/prices.js';
import type { Promises, Slo, SloRefusal } from '../../outlook/promises.js';
import type { ScheduledSequence } from '../../scheduler/sequence.js';
import type { Choice } from '../choices.js';
import { ApiError } from '../errors.js';
import type { Lifetime } from '../http/lifetime.js';
import { Turns } from '../http/turns.js';
import { timingsOf, type Timings } from './timings.js';

/** Choices of a request that are foreseen because it asks; of more, looking ahead would keep others waiting. */
const MOST_ASKED = 8;

/** What a visit needs of the outlook. */
export interface Host {
  readonly prices: StepPrices;
  readonly journal: Journal;
  readonly promises: Promises;
  readonly scheduling: Scheduling;
  readonly slo: Slo;
  expect(sequence: ScheduledSequence, waitedMs: number, asked: boolean): Expectation | undefined;
}

/** One request's way past the door and through the engine. */
export class Visit {
  /** Of its choices, as far as they have been started. */
  readonly records: RequestRecord[] = [];
  readonly #outlook: Host;
  #outlines: (ScheduledSequence | undefined)[] = [];

  constructor(
    outlook: Host,
    readonly name: string,
    readonly arrivedAt: number,
  ) {
    this.#outlook = outlook;
  }

  /**
   * Resolves when all its choices may come in.
   *
   * @throws ApiError 429 where a promise cannot be kept; as the lifetime where that ends first
   */
  async enter(choices: readonly Choice[], own: Slo, lifetime: Lifetime): Promise<void> {
    const { promises, slo: usual, scheduling, prices } = this.#outlook;
    const slo: Slo = { ...usual, ...own };
    const promised = slo.ttftMs !== undefined || slo.itlMs !== undefined;
    if (!prices.known || (!promised && promises.open === 0)) return;
    lifetime.onClosed(() => this.#dropOutlines());
    const turns = new Turns();
    for (const { promptIds, options } of choices) {
      await turns.pause();
      if (lifetime.reason !== undefined) {
        this.#dropOutlines();
        throw lifetime.error();
      }
      if (options.maxTokens === 0) {
        this.#outlines.push(undefined);
        continue;
      }
      const outline = scheduling.outline(promptIds, options);
      for (;;) {
        const verdict = promises.ask(outline, slo, this.arrivedAt, performance.now());
        if (verdict.kind === 'enter') break;
        if (verdict.kind === 'refuse') {
          this.#dropOutlines();
          throw this.#refusal(verdict.refusal);
        }
        await pause(verdict.ms, lifetime.signal);
        if (lifetime.reason !== undefined) {
          promises.drop(outline);
          this.#dropOutlines();
          throw lifetime.error();
        }
      }
      this.#outlines.push(outline);
    }
  }

  /** A choice has been given to the engine. @param asked whether its client wants to be told what to expect */
  started(index: number, sequence: ScheduledSequence, asked: boolean): void {
    const { promises, journal } = this.#outlook;
    const outline = this.#outlines[index];
    if (outline !== undefined) promises.entered(outline, sequence);
    this.#outlines[index] = undefined;
    const record = journal.request(sequence.id);
    if (record === undefined) return;
    record.arrivedAt = this.arrivedAt;
    record.expected = this.#outlook.expect(sequence, performance.now() - this.arrivedAt, asked && index < MOST_ASKED);
    this.records[index] = record;
  }

  /** What was expected of a choice, and what was. */
  timings(index: number, result?: GenerationResult): Timings | undefined {
    const record = this.records[index] as RequestRecord | undefined;
    return record && timingsOf(record, this.#outlook.prices.source, result);
  }

  #dropOutlines(): void {
    for (const outline of this.#outlines.splice(0)) if (outline !== undefined) this.#outlook.promises.drop(outline);
  }

  #refusal({ measure, own, promisedMs, expectedMs, retryMs }: SloRefusal): ApiError {
    const { running, waiting } = this.#outlook.scheduling.moment().scheduler;
    const what = measure === 'ttft' ? 'first token is expected after' : 'gaps between tokens are expected to be';
    const whose = own ? 'the' : 'another request’s';
    const found = Number.isFinite(expectedMs) ? `${round(expectedMs)} ms` : 'longer than can be foreseen';
    const field = `${measure}_slo_ms`;
    const seconds = Math.max(1, Math.ceil(Math.min(retryMs, 3_600_000) / 1000));
    return new ApiError(
      429,
      `${whose} ${what} ${found}, and ${field} is ${round(promisedMs)} ms: ${running} choices run and ${waiting} wait; try again in ${seconds} s`,
      { type: 'rate_limit_error', code: 'slo_unattainable', param: field, headers: { 'retry-after': String(seconds) } },
    );
  }
}

const round = (ms: number): number => Number(ms.toPrecision(3));

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    if (signal.aborted) done();
    else signal.addEventListener('abort', done);
  });
}
