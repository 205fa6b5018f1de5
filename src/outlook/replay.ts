import { Scheduler, type SchedulerLimits, type SchedulerOptions } from '../scheduler/scheduler.js';
import { ScheduledSequence } from '../scheduler/sequence.js';
import { completed } from './completed.js';
import { EventQueue, RANK } from '../simulator/event-queue.js';
import { Machine } from '../simulator/machine.js';
import type { StepLoad } from '../scheduler/step-load.js';
import type { StepMs } from './forecast.js';
import type { RequestRecord } from './journal.js';

/** What a scheduler is made of, and how far ahead it is driven. */
export interface ReplaySetting {
  readonly limits: SchedulerLimits;
  readonly options: SchedulerOptions;
  readonly depth: number;
}

/** When a request of a replay got its tokens, in milliseconds of the recorded clock. */
export interface Replayed {
  firstAt: number | undefined;
  lastAt: number | undefined;
  tokens: number;
}

export interface Replay {
  readonly requests: ReadonlyMap<number, Replayed>;
  readonly steps: readonly StepLoad[];
}

/**
 * The requests that a request shared the machine with, and those that these did: what has to be replayed to see what
 * became of it.
 */
export function company(record: RequestRecord, all: Iterable<RequestRecord>): RequestRecord[] {
  const end = record.endedAt ?? Infinity;
  const earlier = [...all].filter(({ addedAt }) => addedAt <= end).sort((a, b) => a.addedAt - b.addedAt);
  let from = record.addedAt;
  for (const { addedAt, endedAt = Infinity } of [...earlier].reverse()) {
    if (addedAt < from && endedAt > from) from = addedAt;
  }
  return earlier.filter(({ addedAt }) => addedAt >= from);
}

/**
 * Recorded requests once more, through the same scheduler, each with as many tokens as it had, on a clock that adds up
 * the price of steps. Without some of them it says what would have become of the others.
 *
 * @param price of a step, in milliseconds
 * @param without ids of requests that do not come
 */
export function replay(
  records: readonly RequestRecord[],
  setting: ReplaySetting,
  price: StepMs,
  without: ReadonlySet<number> = new Set(),
): Replay {
  return completed(replaying(records, setting, price, without));
}

/** `replay`, which may be left after each event and gone on with. */
export function* replaying(
  records: readonly RequestRecord[],
  { limits, options, depth }: ReplaySetting,
  price: StepMs,
  without: ReadonlySet<number>,
): Generator<undefined, Replay, undefined> {
  const events = new EventQueue();
  const scheduler = new Scheduler(limits, options);
  const start = Math.min(...records.map(({ addedAt }) => addedAt));
  const requests = new Map<number, Replayed>();
  const steps: StepLoad[] = [];
  const machine: Machine = new Machine(events, {
    ...{ scheduler, depth, stretches: false },
    price: { seconds: (load) => price(load) / 1000 },
    onStep: (load) => void steps.push(load),
    onTokens: ({ id }, ends, from, to) => {
      const request = requests.get(id)!;
      request.firstAt ??= start + 1000 * ends[from];
      request.lastAt = start + 1000 * ends[to - 1];
      request.tokens += to - from;
    },
    onDone: (sequence) => machine.finish(sequence),
  });
  keepCached(records, scheduler, limits.blockTokens);
  for (const record of records) {
    const { sequence, tokens, addedAt, endedAt } = record;
    const { id, promptLength, priority, hostStepped, blockNames } = sequence;
    if (without.has(id)) continue;
    const again = new ScheduledSequence(id, promptLength, Math.max(1, tokens), { priority, hostStepped, blockNames });
    requests.set(id, { firstAt: undefined, lastAt: undefined, tokens: 0 });
    const seconds = (addedAt - start) / 1000;
    events.at(seconds, RANK.arrival, () => machine.add(again));
    // One that got no token was ended by its client.
    if (tokens === 0 && endedAt !== undefined) {
      events.at((endedAt - start) / 1000, RANK.arrival, () => machine.finish(again));
    }
  }
  while (events.step()) yield undefined;
  return { requests, steps };
}

/** What the cache had of prompts before the first of the records came. */
function keepCached(records: readonly RequestRecord[], scheduler: Scheduler, blockTokens: number): void {
  const made = new Set<string>();
  for (const { sequence } of records) {
    const { cachedTokens, blockNames } = sequence;
    for (const name of blockNames.slice(0, cachedTokens / blockTokens)) if (!made.has(name)) scheduler.keep(name);
    for (const name of blockNames) made.add(name);
  }
}
