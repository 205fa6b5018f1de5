import type { StepMs } from './forecast.js';
import { completed } from './completed.js';
import { loadOfParts, type RequestRecord, type StepPart, type StepRecord } from './journal.js';

/** Where a request's time went; the parts add up to all of it. Milliseconds. */
export interface Spent {
  /** Before it was queued: reading, tokenizing, waiting at the door. */
  before: number;
  /** Queued, while steps of others ran. */
  queue: number;
  /** Its own prompt, and its own rows. */
  prefill: number;
  decode: number;
  /** What prompts and rows of others made its steps longer, and steps of theirs between its own. */
  othersPrompts: number;
  othersRows: number;
  /** Sent away for its memory, and what was computed again for it afterwards. */
  preemption: number;
  /** No step ran, or none that it could be in because the host had to choose its token first. */
  host: number;
}

export interface Explanation {
  readonly wholeMs: number;
  readonly spent: Spent;
  /** Steps it took part in. */
  readonly steps: number;
  /** Milliseconds that each other's prompt tokens and rows cost it, the dearest first. */
  readonly neighbours: readonly { readonly id: number; readonly ms: number }[];
  /** Whether all its steps are still remembered. */
  readonly complete: boolean;
}

/**
 * Divides a request's time by what ran in it. A step's time is divided among what was in it by what the step would have
 * cost without: first the others' prompts, then the others' rows; the rest is its own.
 *
 * @param price of a step, in milliseconds; only ratios of it matter
 * @param now for a request that has not ended
 */
export function explain(record: RequestRecord, steps: readonly StepRecord[], price: StepMs, now: number): Explanation {
  return completed(explaining(record, steps, price, now));
}

/** `explain`, which may be left after each step and gone on with. */
export function* explaining(
  record: RequestRecord,
  steps: readonly StepRecord[],
  price: StepMs,
  now: number,
): Generator<undefined, Explanation, undefined> {
  const { arrivedAt, addedAt, endedAt = now } = record;
  const { id } = record.sequence;
  const spent: Spent = {
    ...{ before: addedAt - arrivedAt, queue: 0, prefill: 0, decode: 0 },
    ...{ othersPrompts: 0, othersRows: 0, preemption: 0, host: 0 },
  };
  const neighbours = new Map<number, number>();
  const mine = steps.filter(({ begin, end }) => end > addedAt && begin < endedAt);
  const away = absences(id, mine);
  const complete = steps.length === 0 || steps[0].begin <= addedAt || (record.begunAt ?? Infinity) >= steps[0].begin;
  let [cursor, computed, own] = [addedAt, 0, 0];
  for (const [at, step] of mine.entries()) {
    yield undefined;
    const from = Math.max(cursor, step.begin);
    const to = Math.min(step.end, endedAt);
    if (to <= from) continue;
    spent.host += from - cursor;
    cursor = to;
    const ms = to - from;
    const part = step.parts.find((each) => each.id === id);
    if (part === undefined) {
      if (own === 0) spent.queue += ms;
      else if (away.has(at)) spent.preemption += ms;
      else if (step.parts.some(({ prompt }) => prompt)) spent.othersPrompts += ms;
      else spent.host += ms;
      if (own === 0 || !away.has(at)) charge(neighbours, step.parts, ms, price);
      continue;
    }
    own++;
    const shares = sharesOf(part, step.parts, price);
    const kind = part.begin < computed ? 'preemption' : part.prompt ? 'prefill' : 'decode';
    computed = Math.max(computed, part.end);
    spent[kind] += shares.own * ms;
    spent.othersPrompts += shares.prompts * ms;
    spent.othersRows += shares.rows * ms;
    const others = step.parts.filter((each) => each !== part);
    charge(neighbours, others, (shares.prompts + shares.rows) * ms, price);
  }
  spent.host += Math.max(0, endedAt - cursor);
  return {
    wholeMs: endedAt - arrivedAt,
    spent,
    steps: own,
    neighbours: [...neighbours].map(([id, ms]) => ({ id, ms })).sort((a, b) => b.ms - a.ms),
    complete,
  };
}

/** The steps between a sequence's last part before it was sent away and the one for which it came back. */
function absences(id: number, steps: readonly StepRecord[]): ReadonlySet<number> {
  const away = new Set<number>();
  let last = -1;
  for (const [at, { parts, admitted }] of steps.entries()) {
    if (last >= 0 && admitted.includes(id)) for (let gone = last + 1; gone < at; gone++) away.add(gone);
    if (parts.some((part) => part.id === id)) last = at;
  }
  return away;
}

/** Shares of a step that are a part's own, the others' prompts' and the others' rows'. */
function sharesOf(
  own: StepPart,
  parts: readonly StepPart[],
  price: StepMs,
): { readonly own: number; readonly prompts: number; readonly rows: number } {
  const whole = price(loadOfParts(parts));
  if (!(whole > 0)) return { own: 1, prompts: 0, rows: 0 };
  const withoutPrompts = Math.min(whole, price(loadOfParts(parts.filter((part) => part === own || !part.prompt))));
  const alone = Math.min(withoutPrompts, price(loadOfParts([own])));
  return { own: alone / whole, prompts: (whole - withoutPrompts) / whole, rows: (withoutPrompts - alone) / whole };
}

/** Divides milliseconds among parts by what each would cost by itself. */
function charge(neighbours: Map<number, number>, parts: readonly StepPart[], ms: number, price: StepMs): void {
  if (ms <= 0) return;
  const weights = parts.map((part) => Math.max(price(loadOfParts([part])), 1e-9));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  parts.forEach(({ id }, at) => void neighbours.set(id, (neighbours.get(id) ?? 0) + (ms * weights[at]) / sum));
}
