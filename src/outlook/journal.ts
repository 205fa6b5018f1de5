import type { ScheduleWatcher } from '../scheduler/moment.js';
import type { ScheduledSequence } from '../scheduler/sequence.js';
import type { StepLoad } from '../scheduler/step-load.js';
import type { StepPlan } from '../scheduler/step-plan.js';

/** Tokens [begin, end) of one sequence in a step. */
export interface StepPart {
  readonly id: number;
  readonly begin: number;
  readonly end: number;
  readonly prompt: boolean;
  /** Rows with logits. */
  readonly samples: number;
}

/** A step that has run. Times are milliseconds of one clock. */
export interface StepRecord {
  readonly begin: number;
  readonly end: number;
  readonly parts: readonly StepPart[];
  /** Who got a slot for it. */
  readonly admitted: readonly number[];
}

/** What a request was expected to take when it came, milliseconds. */
export interface Expectation {
  readonly ttftMs: number | undefined;
  readonly itlMs: number | undefined;
}

/** A sequence that came, and what became of it. */
export interface RequestRecord {
  readonly sequence: ScheduledSequence;
  /** When whoever sent it came, and when it was queued. */
  arrivedAt: number;
  readonly addedAt: number;
  /** When its first step began. */
  begunAt: number | undefined;
  firstAt: number | undefined;
  lastAt: number | undefined;
  endedAt: number | undefined;
  tokens: number;
  expected: Expectation | undefined;
}

const MOST_STEPS = 4096;
const MOST_PARTS = 65_536;
const MOST_REQUESTS = 256;

/** Remembers the last steps and the last requests of a schedule, within bounds. */
export class Journal implements ScheduleWatcher {
  readonly #steps: StepRecord[] = [];
  readonly #requests = new Map<number, RequestRecord>();
  #parts = 0;

  /** The oldest first. */
  get steps(): readonly StepRecord[] {
    return this.#steps;
  }

  /** In the order in which they were queued. */
  get requests(): Iterable<RequestRecord> {
    return this.#requests.values();
  }

  request(id: number): RequestRecord | undefined {
    return this.#requests.get(id);
  }

  added(sequence: ScheduledSequence, at: number): void {
    this.#requests.set(sequence.id, {
      sequence,
      arrivedAt: at,
      addedAt: at,
      ...{ begunAt: undefined, firstAt: undefined, lastAt: undefined, endedAt: undefined, expected: undefined },
      tokens: 0,
    });
    for (const [id, { endedAt }] of this.#requests) {
      if (this.#requests.size <= MOST_REQUESTS) break;
      if (endedAt !== undefined) this.#requests.delete(id);
    }
  }

  step({ decode, prefill, admitted }: StepPlan, begin: number, end: number): void {
    const parts: StepPart[] = [];
    for (const { sequence, begin, end, samples } of decode) {
      parts.push({ id: sequence.id, begin, end, prompt: false, samples });
    }
    for (const { sequence, begin, end, samples } of prefill) {
      parts.push({ id: sequence.id, begin, end, prompt: true, samples: Number(samples) });
    }
    for (const { id, samples } of parts) {
      const record = this.#requests.get(id);
      if (record === undefined || record.endedAt !== undefined) continue;
      record.begunAt ??= begin;
      if (samples === 0) continue;
      record.firstAt ??= end;
      record.lastAt = end;
      // Of guesses it is known only afterwards how many came true.
      record.tokens = record.sequence.hostStepped ? record.sequence.delivered + 1 : record.tokens + 1;
    }
    this.#steps.push({ begin, end, parts, admitted: admitted.map(({ id }) => id) });
    this.#parts += parts.length;
    while (this.#steps.length > MOST_STEPS || this.#parts > MOST_PARTS)
      this.#parts -= this.#steps.shift()!.parts.length;
  }

  ended({ id }: ScheduledSequence, at: number): void {
    const record = this.#requests.get(id);
    if (record !== undefined) record.endedAt = at;
  }
}

/** What a step of these parts costs. */
export function loadOfParts(parts: readonly StepPart[]): StepLoad {
  let [decodeRows, decodeKeys, logitRows] = [0, 0, 0];
  const prompts: StepPart[] = [];
  for (const part of parts) {
    const { begin, end, prompt, samples } = part;
    logitRows += samples;
    if (prompt) prompts.push(part);
    else {
      decodeRows += end - begin;
      decodeKeys += ((end - begin) * (begin + 1 + end)) / 2;
    }
  }
  return { decodeRows, decodeKeys, logitRows, prompts };
}
