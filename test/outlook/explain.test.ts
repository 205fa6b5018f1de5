import { describe, expect, it } from 'vitest';
import { explain, explaining } from '../../src/outlook/explain.js';
import { Journal, type RequestRecord } from '../../src/outlook/journal.js';
import { company, replay, replaying } from '../../src/outlook/replay.js';
import { POLICIES } from '../../src/scheduler/policies/index.js';
import { Scheduler } from '../../src/scheduler/scheduler.js';
import { ScheduledSequence } from '../../src/scheduler/sequence.js';
import { loadOf, sampledBy } from '../../src/scheduler/step-load.js';
import { priceOf } from '../simulator/support.js';

const seconds = priceOf(0.004, 0.0005, 1e-6, 1e-5, 1e-9);
const price = (load: Parameters<typeof seconds.seconds>[0]): number => 1000 * seconds.seconds(load);

interface Coming {
  readonly at: number;
  readonly prompt: number;
  readonly tokens: number;
}

/** An engine's loop on a clock of its own, one step at a time, with a journal that watches. */
function run(comings: readonly Coming[], blocks = 1000, hostMs = 0) {
  const limits = { sequences: 4, blocks, blockTokens: 16, stepTokens: 68, chunk: 64 };
  const options = { policy: POLICIES.chunked };
  const scheduler = new Scheduler(limits, options);
  const journal = new Journal();
  const queue = comings.map(({ at, prompt, tokens }, id) => ({
    at,
    sequence: new ScheduledSequence(id, prompt, tokens),
  }));
  let now = 0;
  for (;;) {
    while (queue.length > 0 && queue[0].at <= now) {
      const { at, sequence } = queue.shift()!;
      scheduler.add(sequence);
      journal.added(sequence, at);
    }
    const plan = scheduler.next();
    if (plan === undefined) {
      if (queue.length === 0) break;
      now = queue[0].at;
      continue;
    }
    const begin = now + hostMs;
    now = begin + price(loadOf(plan));
    journal.step(plan, begin, now);
    for (const sequence of sampledBy(plan)) {
      scheduler.deliver(sequence);
      if (sequence.delivered < sequence.maxTokens) continue;
      scheduler.finish(sequence);
      journal.ended(sequence, now);
    }
  }
  return { journal, setting: { limits, options, depth: 1 }, records: [...journal.requests] };
}

const sum = (spent: object): number => Object.values(spent as Record<string, number>).reduce((a, b) => a + b, 0);
const of = ({ journal }: ReturnType<typeof run>, id: number) => explain(journal.request(id)!, journal.steps, price, 0);
const e2e = ({ addedAt, endedAt }: RequestRecord): number => endedAt! - addedAt;

describe('an explanation', () => {
  const crowd = [
    { at: 0, prompt: 30, tokens: 40 },
    { at: 20, prompt: 500, tokens: 10 },
    { at: 25, prompt: 40, tokens: 30 },
  ];

  it('accounts for all of the time', () => {
    for (const blocks of [1000, 42]) {
      const done = run(crowd, blocks, 0.25);
      for (const { sequence } of done.records) {
        const { wholeMs, spent } = of(done, sequence.id);
        expect(sum(spent)).toBeCloseTo(wholeMs, 6);
        expect(Math.min(...(Object.values(spent) as number[]))).toBeGreaterThanOrEqual(0);
      }
    }
  });

  it('finds only its own work, and the host, where a request is alone', () => {
    const { spent, steps } = of(run([{ at: 5, prompt: 100, tokens: 8 }], 1000, 0.25), 0);
    expect(spent).toMatchObject({ before: 0, queue: 0, othersPrompts: 0, othersRows: 0, preemption: 0 });
    expect(steps).toBe(9);
    expect(spent.host).toBeCloseTo(9 * 0.25, 9);
    expect(spent.prefill).toBeGreaterThan(0);
    expect(spent.decode).toBeGreaterThan(spent.prefill);
  });

  it('blames the long prompt for what it costs the others', () => {
    const done = run(crowd);
    const { spent, neighbours } = of(done, 0);
    expect(spent.othersPrompts).toBeGreaterThan(500 * 0.01);
    expect(neighbours.map(({ id }) => id).sort()).toEqual([1, 2]);
    expect(spent.preemption).toBe(0);
    // The short one that came after it stood behind it in the queue.
    expect(of(done, 2).spent.queue).toBeGreaterThan(10);
  });

  it('says what being sent away cost', () => {
    const done = run(
      [
        { at: 0, prompt: 200, tokens: 60 },
        { at: 1, prompt: 200, tokens: 60 },
      ],
      28,
    );
    expect(of(done, 0).spent.preemption).toBe(0);
    expect(of(done, 1).spent.preemption).toBeGreaterThan(20);
  });
});

it('an explanation and a replay may be left after each of their steps', () => {
  const { journal, records, setting } = run([{ at: 0, prompt: 30, tokens: 60 }], 1000);
  const work = [
    explaining(records[0], journal.steps, price, 0),
    replaying(records, setting, price, new Set()),
  ] as const;
  for (const each of work) {
    let left = 0;
    while (each.next().done !== true) left++;
    expect(left).toBeGreaterThanOrEqual(journal.steps.length);
  }
});

describe('a replay', () => {
  const crowd = [
    { at: 0, prompt: 30, tokens: 60 },
    { at: 40, prompt: 600, tokens: 12 },
    { at: 90, prompt: 50, tokens: 30 },
    { at: 95, prompt: 300, tokens: 5 },
  ];

  it('of everybody is the run itself', () => {
    for (const blocks of [1000, 50]) {
      const { records, setting } = run(crowd, blocks);
      const again = replay(records, setting, price).requests;
      for (const { sequence, firstAt, lastAt, tokens } of records) {
        const replayed = again.get(sequence.id)!;
        expect(replayed.tokens).toBe(tokens);
        expect(replayed.firstAt).toBeCloseTo(firstAt!, 6);
        expect(replayed.lastAt).toBeCloseTo(lastAt!, 6);
      }
    }
  });

  it.each([0, 1, 2, 3])('without request %d is the run in which it never came', (gone) => {
    const { records, setting } = run(crowd, 60);
    const without = replay(records, setting, price, new Set([gone])).requests;
    // The others keep their order, not their numbers.
    const truth = run(
      crowd.filter((_, id) => id !== gone),
      60,
    ).records;
    const ids = crowd.map((_, id) => id).filter((id) => id !== gone);
    for (const [at, id] of ids.entries()) {
      expect(without.get(id)!.firstAt).toBeCloseTo(truth[at].firstAt!, 6);
      expect(without.get(id)!.lastAt).toBeCloseTo(truth[at].lastAt!, 6);
    }
    expect(without.has(gone)).toBe(false);
  });

  it('goes back to when nobody was there, and no further', () => {
    const { records } = run([
      { at: 0, prompt: 30, tokens: 4 },
      { at: 500, prompt: 30, tokens: 40 },
      { at: 520, prompt: 30, tokens: 40 },
      { at: 5000, prompt: 30, tokens: 4 },
    ]);
    expect(company(records[2], records).map(({ sequence }) => sequence.id)).toEqual([1, 2]);
    expect(e2e(records[0])).toBeLessThan(500);
  });
});
