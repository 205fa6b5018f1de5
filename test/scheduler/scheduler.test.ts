import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { POLICIES, POLICY_NAMES } from '../../src/scheduler/policies/index.js';
import { Scheduler } from '../../src/scheduler/scheduler.js';
import { ScheduledSequence } from '../../src/scheduler/sequence.js';
import type { BatchShape } from '../../src/model/operations.js';
import { Drive } from '../engine/schedule-drive.js';
import { scaled } from '../support/scale.js';

/** Schedules tried, of each policy. */
const RUNS = scaled(3000, 500);

const limitsOf = fc
  .record({
    sequences: fc.integer({ min: 1, max: 5 }),
    blocks: fc.integer({ min: 4, max: 14 }),
    blockTokens: fc.integer({ min: 1, max: 5 }),
    moreRows: fc.nat({ max: 12 }),
    moreDecodeRows: fc.nat({ max: 6 }),
    chunk: fc.integer({ min: 1, max: 12 }),
  })
  .map(({ sequences, blocks, blockTokens, moreRows, moreDecodeRows, chunk }) => {
    const decodeRows = sequences + moreDecodeRows;
    return { sequences, blocks, blockTokens, decodeRows, stepTokens: decodeRows + moreRows, chunk };
  });

/** Prompts of two letters, most beginning alike. */
const promptOf = fc
  .tuple(fc.nat({ max: 12 }), fc.array(fc.nat({ max: 1 }), { minLength: 1, maxLength: 6 }))
  .map(([common, rest]) => [...new Array<number>(common).fill(0), ...rest]);

const requestsOf = fc.array(
  fc.record({
    prompt: promptOf,
    maxTokens: fc.integer({ min: 1, max: 24 }),
    priority: fc.oneof(
      { weight: 3, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: -1, max: 1 }) },
    ),
    arrival: fc.nat({ max: 30 }),
    abort: fc.option(fc.nat({ max: 80 }), { nil: undefined, freq: 4 }),
    ends: fc.integer({ min: 1, max: 30 }),
    resumed: fc.option(fc.nat({ max: 12 }), { nil: undefined, freq: 3 }),
    guesses: fc.option(
      fc.array(fc.record({ made: fc.nat({ max: 4 }), right: fc.nat({ max: 4 }) }), { minLength: 1, maxLength: 4 }),
      { nil: undefined, freq: 2 },
    ),
  }),
  { minLength: 1, maxLength: 12, size: 'max' },
);

const reservationsOf = fc.array(
  fc.record({
    prompt: promptOf,
    priority: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(-1, 1) }),
    arrival: fc.nat({ max: 40 }),
    ends: fc.integer({ min: 1, max: 80 }),
  }),
  { maxLength: 6, size: 'max' },
);

describe.each(POLICY_NAMES)('Scheduler under %s', (policy) => {
  it('ends every request and lets each row find what it would find alone, on any schedule', () => {
    let [steps, preemptions, hits, takenBack] = [0, 0, 0, 0];
    fc.assert(
      fc.property(
        limitsOf,
        requestsOf,
        reservationsOf,
        fc.boolean(),
        fc.integer({ min: 1, max: 3 }),
        (limits, requests, reservations, prefixCaching, depth) => {
          const drive = new Drive(limits, requests, { policy, prefixCaching, depth, reservations });
          drive.run();
          steps += drive.steps;
          preemptions += drive.scheduler.counts.preemptions;
          hits += drive.scheduler.counts.prefixHitTokens;
          takenBack += drive.takenBack;
        },
      ),
      { numRuns: RUNS },
    );
    // The schedules are hard enough to be worth something.
    expect(steps).toBeGreaterThan(10 * RUNS);
    expect(preemptions).toBeGreaterThan(0.005 * RUNS);
    expect(hits).toBeGreaterThan(RUNS);
    expect(takenBack).toBeGreaterThan(0.02 * RUNS);
  });
});

const sequences = (prompts: readonly number[], maxTokens = 10): ScheduledSequence[] =>
  prompts.map((prompt, id) => new ScheduledSequence(id, prompt, maxTokens));

/** A step in short: `d0@6` is a row of sequence 0 at position 6, `p1@0-4` prompt tokens 0 to 3 of sequence 1. */
function shortly(scheduler: Scheduler): string {
  const plan = scheduler.next();
  if (plan === undefined) return 'nothing';
  const decode = plan.decode.map(({ sequence: { id }, begin, end }) =>
    end === begin + 1 ? `d${id}@${begin}` : `d${id}@${begin}-${end}`,
  );
  return [...decode, ...plan.prefill.map(({ sequence: { id }, begin, end }) => `p${id}@${begin}-${end}`)].join(' ');
}

describe('Scheduler', () => {
  const limits = { sequences: 3, blocks: 30, blockTokens: 4, stepTokens: 12, chunk: 8 };

  it('lets a long prompt through in chunks while the others decode', () => {
    const scheduler = new Scheduler(limits);
    for (const sequence of sequences([3, 19, 2])) scheduler.add(sequence);
    expect(shortly(scheduler)).toBe('p0@0-3 p1@0-4'); // up to the end of a block
    expect(shortly(scheduler)).toBe('d0@3 p1@4-12');
    expect(shortly(scheduler)).toBe('d0@4 p1@12-19 p2@0-1');
    expect(shortly(scheduler)).toBe('d0@5 d1@19 p2@1-2');
    expect(shortly(scheduler)).toBe('d0@6 d1@20 d2@2');
  });

  it('takes whole prompts before anybody decodes under prefill-first', () => {
    const scheduler = new Scheduler({ ...limits, stepTokens: 20, chunk: 20 }, { policy: POLICIES['prefill-first'] });
    const [a, b, c] = sequences([3, 18, 2]);
    scheduler.add(a);
    scheduler.add(b);
    expect(shortly(scheduler)).toBe('p0@0-3');
    scheduler.add(c);
    expect(shortly(scheduler)).toBe('p1@0-18 p2@0-2');
    expect(shortly(scheduler)).toBe('d0@3 d1@18 d2@2');
  });

  it('lets nobody join a static batch', () => {
    const scheduler = new Scheduler(limits, { policy: POLICIES.static });
    const [a, b, c] = sequences([3, 2, 4], 2);
    scheduler.add(a);
    scheduler.add(b);
    expect(shortly(scheduler)).toBe('p0@0-3 p1@0-2');
    scheduler.add(c);
    expect(shortly(scheduler)).toBe('d0@3 d1@2');
    scheduler.finish(a);
    expect(shortly(scheduler)).toBe('nothing');
    scheduler.finish(b);
    expect(shortly(scheduler)).toBe('p2@0-4');
  });

  it('adds as much of a prompt as the decode objective allows', () => {
    const cost = ({ sequences: parts }: BatchShape): number => parts.reduce((sum, { newTokens }) => sum + newTokens, 0);
    const roomy = { ...limits, stepTokens: 100, chunk: 64 };
    const scheduler = new Scheduler(roomy, { policy: POLICIES['decode-priority'], decodeSloMs: 40, cost });
    const [a, b] = sequences([3, 70]);
    scheduler.add(a);
    expect(shortly(scheduler)).toBe('p0@0-3');
    scheduler.add(b);
    expect(shortly(scheduler)).toBe('d0@3 p1@0-32');
    scheduler.finish(a);
    expect(shortly(scheduler)).toBe('p1@32-70');
  });

  it('does not hold prompts back for a decode objective that no waiting meets', () => {
    const slow = { ...limits, stepTokens: 100, chunk: 64, sequences: 3 };
    const cost = ({ sequences: parts }: BatchShape): number =>
      30 + parts.reduce((sum, { newTokens }) => sum + newTokens, 0);
    const planned = (decodeSloMs: number): string => {
      const scheduler = new Scheduler(slow, { policy: POLICIES['decode-priority'], decodeSloMs, cost });
      const [a, b, c] = sequences([3, 5, 20]);
      for (const sequence of [a, b]) scheduler.add(sequence);
      shortly(scheduler);
      scheduler.add(c);
      return shortly(scheduler);
    };
    expect(planned(60)).toBe('d0@3 d1@5 p2@0-20');
    // Two that decode are too slow, and one alone would be fast enough.
    expect(planned(31)).toBe('d0@3 d1@5');
    expect(planned(30)).toBe('d0@3 d1@5 p2@0-20');
  });

  it('computes what two prompts have in common once, even where they come together', () => {
    const scheduler = new Scheduler({ ...limits, stepTokens: 40, chunk: 40 });
    const options = { blockNames: ['a', 'ab', 'abc'] };
    const [first, second] = [0, 1].map((id) => new ScheduledSequence(id, 12, 5, options));
    scheduler.add(first);
    scheduler.add(second);
    // The last block is computed twice: the first token is sampled where its last row is.
    expect(shortly(scheduler)).toBe('p0@0-12 p1@8-12');
    expect(second.blocks.slice(0, 2)).toEqual(first.blocks.slice(0, 2));
    expect(scheduler.counts).toMatchObject({ prefixQueriedTokens: 24, prefixHitTokens: 8 });
    expect([first.cachedTokens, second.cachedTokens]).toEqual([0, 8]);
  });

  it('sends the last one away when memory runs out, and computes it again as it was', () => {
    const scheduler = new Scheduler({ ...limits, blocks: 4, decodeRows: 8 });
    const [a, b] = sequences([4, 4], 9);
    for (const sequence of [a, b]) scheduler.add(sequence);
    const step = (): string => {
      const plan = shortly(scheduler);
      for (const sequence of [a, b]) while (sequence.delivered < sequence.generated) scheduler.deliver(sequence);
      return plan;
    };
    expect([step(), step(), step()]).toEqual(['p0@0-4 p1@0-4', 'd0@4 d1@4', 'd0@5 d1@5']);
    expect([step(), step()]).toEqual(['d0@6 d1@6', 'd0@7 d1@7']);
    expect(step(), 'the first goes on').toBe('d0@8');
    expect([scheduler.counts.preemptions, scheduler.waiting, b.slot]).toEqual([1, 1, -1]);
    expect(step()).toBe('d0@9');
    scheduler.finish(a);
    expect(step(), 'its prompt again').toBe('p1@0-4');
    expect(step(), 'and all it had generated, in one step').toBe('d1@4-9');
    expect(step()).toBe('d1@9');
  });

  it('goes on from tokens that were generated elsewhere', () => {
    const scheduler = new Scheduler({ ...limits, decodeRows: 8 });
    scheduler.add(new ScheduledSequence(0, 6, 9, { resumed: 4 }));
    expect(shortly(scheduler)).toBe('p0@0-6');
    const plan = scheduler.next()!;
    expect(plan.decode).toMatchObject([{ begin: 6, end: 10, source: 'host', samples: 1, draw: 4 }]);
  });

  it('computes a prompt and samples nothing where no token is wanted', () => {
    const scheduler = new Scheduler(limits);
    const sequence = new ScheduledSequence(0, 12, 0);
    scheduler.add(sequence);
    expect([scheduler.blocksNeeded(sequence), shortly(scheduler)]).toEqual([3, 'p0@0-8']);
    expect(scheduler.next()!.prefill).toMatchObject([{ begin: 8, end: 12, samples: false }]);
    expect(shortly(scheduler)).toBe('nothing');
    scheduler.finish(sequence);
    expect([scheduler.running, scheduler.freeBlocks]).toEqual([0, 30]);
  });

  it('waits for the host where the next step depends on the token', () => {
    const scheduler = new Scheduler({ ...limits, decodeRows: 8 });
    const guessing = new ScheduledSequence(0, 3, 20, { hostStepped: true });
    const [, plain] = sequences([1, 2], 20);
    scheduler.add(guessing);
    scheduler.add(plain);
    expect(shortly(scheduler)).toBe('p0@0-3 p1@0-2');
    expect(shortly(scheduler)).toBe('d1@2');
    scheduler.deliver(guessing);
    guessing.drafts = 3;
    expect(shortly(scheduler)).toBe('d0@3-7 d1@3');
    scheduler.deliver(guessing, 2); // one guess of three was right
    guessing.drafts = 0;
    expect(shortly(scheduler)).toBe('d0@5 d1@4');
  });

  it('serves by priority, then in the order of arrival', () => {
    const scheduler = new Scheduler({ ...limits, sequences: 1 });
    const order = [0, 1, -1, 0].map((priority, id) => new ScheduledSequence(id, 2, 1, { priority }));
    for (const sequence of order) scheduler.add(sequence);
    const served = order.map(() => {
      const [{ sequence }] = scheduler.next()!.prefill;
      scheduler.finish(sequence);
      return sequence.id;
    });
    expect(served).toEqual([2, 0, 3, 1]);
  });

  it('counts no cache place for the last token, and refuses what can never run', () => {
    const scheduler = new Scheduler({ sequences: 1, blocks: 2, blockTokens: 4, stepTokens: 4 });
    expect(scheduler.blocksNeeded(new ScheduledSequence(0, 4, 5))).toBe(2);
    expect(() => scheduler.add(new ScheduledSequence(1, 4, 6))).toThrow(/sequence 1 needs 3 cache blocks of 2/);
    expect(scheduler.waiting).toBe(0);
  });

  it('lets nobody overtake a request that waits for memory', () => {
    const scheduler = new Scheduler({ sequences: 3, blocks: 4, blockTokens: 1, stepTokens: 8 });
    const [first, big, small] = sequences([3, 4, 1], 1);
    for (const sequence of [first, big, small]) scheduler.add(sequence);
    expect(shortly(scheduler)).toBe('p0@0-3');
    expect(shortly(scheduler)).toBe('nothing');
    scheduler.finish(first);
    expect(shortly(scheduler)).toBe('p1@0-4');
    scheduler.finish(big);
    expect(shortly(scheduler)).toBe('p2@0-1');
  });
});
