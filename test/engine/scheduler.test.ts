import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { POLICY_NAMES } from '../../src/engine/policies/index.js';
import { Drive } from './schedule-drive.js';

/** Schedules tried, of each policy. */
const RUNS = 3000;

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
    priority: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: -1, max: 1 }) }),
    arrival: fc.nat({ max: 30 }),
    abort: fc.option(fc.nat({ max: 80 }), { nil: undefined, freq: 4 }),
    ends: fc.integer({ min: 1, max: 30 }),
    guesses: fc.option(
      fc.array(fc.record({ made: fc.nat({ max: 4 }), right: fc.nat({ max: 4 }) }), { minLength: 1, maxLength: 4 }),
      { nil: undefined, freq: 2 },
    ),
  }),
  { minLength: 1, maxLength: 12, size: 'max' },
);

describe.each(POLICY_NAMES)('Scheduler under %s', (policy) => {
  it('ends every request and lets each row find what it would find alone, on any schedule', () => {
    let [steps, preemptions, hits] = [0, 0, 0];
    fc.assert(
      fc.property(
        limitsOf,
        requestsOf,
        fc.boolean(),
        fc.integer({ min: 1, max: 3 }),
        (limits, requests, prefixCaching, depth) => {
          const drive = new Drive(limits, requests, { policy, prefixCaching, depth });
          drive.run();
          steps += drive.steps;
          preemptions += drive.scheduler.counts.preemptions;
          hits += drive.scheduler.counts.prefixHitTokens;
        },
      ),
      { numRuns: RUNS },
    );
    // The schedules are hard enough to be worth something.
    expect(steps).toBeGreaterThan(10 * RUNS);
    expect(preemptions).toBeGreaterThan(0.05 * RUNS);
    expect(hits).toBeGreaterThan(RUNS);
  });
});
