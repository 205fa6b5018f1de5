import { explaining, type Spent } from '../../outlook/explain.js';
import type { RequestRecord } from '../../outlook/journal.js';
import { company, replaying, type Replayed } from '../../outlook/replay.js';
import type { Lifetime } from '../http/lifetime.js';
import { Turns } from '../http/turns.js';
import type { Outlook } from './outlook.js';
import { rounded, timingsOf } from './timings.js';
import type { Visit } from './visit.js';

/** Choices of a request that are explained; each means going through all steps and replaying them six times. */
const MOST_CHOICES = 4;
/** Neighbours whose absence is tried. */
const MOST_NEIGHBOURS = 3;

/** What a request's first token and all of it would have taken, milliseconds. */
interface Instead {
  readonly ttft_ms: number | null;
  readonly e2e_ms: number | null;
}

/** Where a request's time went, and what it would have been without others, for `GET /v1/requests/ID`. */
export async function explanationOf(
  outlook: Outlook,
  visit: Visit,
  without: readonly string[],
  lifetime: Lifetime,
): Promise<object> {
  const { journal, prices } = outlook;
  const inTurns = turnsOf(lifetime);
  const ended = visit.records.every(({ endedAt }) => endedAt !== undefined);
  const choices: object[] = [];
  for (const [index, record] of visit.records.entries()) {
    const timings = timingsOf(record, prices.source);
    if (index >= MOST_CHOICES) {
      choices.push({ index, timings });
      continue;
    }
    const found = await inTurns(explaining(record, journal.steps, prices.expected, performance.now()));
    const neighbours = found.neighbours.slice(0, MOST_NEIGHBOURS);
    choices.push({
      index,
      timings,
      whole_ms: rounded(found.wholeMs),
      spent: spentOf(found.spent),
      steps: found.steps,
      complete: found.complete,
      ...(ended && found.complete && record.tokens > 0
        ? await instead(outlook, record, { neighbours, without, inTurns })
        : {}),
    });
  }
  return {
    id: visit.name,
    object: 'request',
    state: visit.records.length === 0 ? 'waiting' : ended ? 'ended' : 'running',
    ...(visit.records.length === 0 || journal.request(visit.records[0].sequence.id) !== undefined
      ? {}
      : { note: 'its steps are not remembered any more' }),
    choices,
  };
}

/** Brings work to its end while others have their turns, as long as somebody waits for it. */
type InTurns = <T>(work: Generator<undefined, T, undefined>) => Promise<T>;

function turnsOf(lifetime: Lifetime): InTurns {
  const turns = new Turns();
  return async (work) => {
    for (;;) {
      const { done, value } = work.next();
      if (done === true) return value;
      if (!turns.over) continue;
      await turns.pause();
      lifetime.throwIfEnded();
    }
  };
}

const spentOf = (spent: Spent): object => ({
  before_ms: rounded(spent.before),
  queue_ms: rounded(spent.queue),
  prefill_ms: rounded(spent.prefill),
  decode_ms: rounded(spent.decode),
  others_prompts_ms: rounded(spent.othersPrompts),
  others_rows_ms: rounded(spent.othersRows),
  preemption_ms: rounded(spent.preemption),
  host_ms: rounded(spent.host),
});

/** The recorded steps again: with everybody, to see how true that is, and without some. */
async function instead(
  outlook: Outlook,
  record: RequestRecord,
  {
    neighbours,
    without,
    inTurns,
  }: {
    readonly neighbours: readonly { readonly id: number; readonly ms: number }[];
    readonly without: readonly string[];
    readonly inTurns: InTurns;
  },
): Promise<object> {
  const { journal, scheduling, prices } = outlook;
  const { scheduler, depth } = scheduling.moment();
  const records = company(record, journal.requests);
  const setting = { limits: scheduler.limits, options: scheduler.options, depth };
  const again = async (gone: readonly number[]): Promise<Instead> => {
    const { requests } = await inTurns(replaying(records, setting, prices.current, new Set(gone)));
    return insteadOf(record, requests.get(record.sequence.id));
  };
  const names = namesOf(outlook);
  const { id } = record.sequence;
  const asked = new Set(
    without.flatMap((name) => outlook.find(name)?.records.map(({ sequence }) => sequence.id) ?? []),
  );
  const replayed = await again([]);
  const alone = await again(records.flatMap(({ sequence }) => (sequence.id === id ? [] : [sequence.id])));
  const others = asked.size === 0 ? undefined : await again([...asked].filter((each) => each !== id));
  const costs: object[] = [];
  for (const neighbour of neighbours) {
    costs.push({
      request: names.get(neighbour.id) ?? null,
      cost_ms: rounded(neighbour.ms),
      without: await again([neighbour.id]),
    });
  }
  return { replayed, alone, ...(others === undefined ? {} : { without: others }), neighbours: costs };
}

function insteadOf({ arrivedAt }: RequestRecord, replayed: Replayed | undefined): Instead {
  const since = (at: number | undefined): number | null => (at === undefined ? null : rounded(at - arrivedAt));
  return { ttft_ms: since(replayed?.firstAt), e2e_ms: since(replayed?.lastAt) };
}

function namesOf(outlook: Outlook): ReadonlyMap<number, string> {
  return new Map(
    outlook.visits.flatMap(({ name, records }) => records.map(({ sequence }) => [sequence.id, name] as const)),
  );
}
