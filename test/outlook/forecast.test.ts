import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forecast } from '../../src/outlook/forecast.js';
import { POLICY_NAMES } from '../../src/scheduler/policies/index.js';
import { ScheduledSequence } from '../../src/scheduler/sequence.js';
import { scaled } from '../support/scale.js';
import { priceOf } from '../simulator/support.js';
import { drive, type Outcome } from './simulated.js';

/** Linear in keys, as the engine's steps are. */
const price = priceOf(0.004, 0.0005, 1e-6, 1e-5, 1e-9);
const stepMs = (load: Parameters<typeof price.seconds>[0]): number => 1000 * price.seconds(load);

const requestsOf = fc.array(
  fc.record({
    gap: fc.double({ min: 0, max: 0.05, noNaN: true }),
    promptTokens: fc.integer({ min: 1, max: 900 }),
    outputTokens: fc.integer({ min: 1, max: 60 }),
  }),
  { minLength: 2, maxLength: 14 },
);

describe.each(POLICY_NAMES)('a forecast under %s', (policy) => {
  it('says of every request what happens when nobody else comes', () => {
    let compared = 0;
    fc.assert(
      fc.property(
        requestsOf,
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 80, max: 400 }),
        fc.integer({ min: 1, max: 3 }),
        (drawn, sequences, blocks, depth) => {
          let arrival = 0;
          const requests = drawn.map(({ gap, ...lengths }, index) => ({
            index,
            arrival: (arrival += gap),
            ...lengths,
          }));
          let said: ReturnType<typeof forecast> | undefined;
          const seconds = arrival + 0.0005;
          const outcomes = drive(requests, {
            ...{ policy, sequences, blocks, depth, price, chunk: 128 },
            at: { seconds, call: (machine) => (said = forecast(machine.moment(), stepMs)) },
          });
          for (const outcome of outcomes) compared += compare(outcome, said!.get(outcome.sequence), 1000 * seconds);
        },
      ),
      { numRuns: scaled(60) },
    );
    expect(compared).toBeGreaterThan(scaled(200));
  });
});

/** @returns times compared */
function compare({ tokens }: Outcome, said: ReturnType<ReturnType<typeof forecast>['get']>, now: number): number {
  if (said === undefined) {
    expect(tokens.at(-1)).toBeLessThanOrEqual(now);
    return 0;
  }
  expect(said.ended).toBe(true);
  expect(said.lastMs! + now).toBeCloseTo(tokens.at(-1)!, 3);
  expect(said.tokens).toBe(tokens.length);
  if (tokens[0] <= now) return 1;
  expect(said.firstMs! + now).toBeCloseTo(tokens[0], 3);
  return 2;
}

describe('a forecast', () => {
  it('has who came while the last step of another runs wait for its end, and come into one step with others', () => {
    const lengths = [4, 1, 1, 1];
    const requests = lengths.map((outputTokens, index) => ({
      ...{ index, promptTokens: 1, outputTokens },
      arrival: index === 0 ? 0 : 0.0135,
    }));
    let said: ReturnType<typeof forecast> | undefined;
    const outcomes = drive(requests, {
      ...{ sequences: 2, blocks: 80, depth: 2, price, chunk: 128 },
      at: { seconds: 0.014, call: (machine) => (said = forecast(machine.moment(), stepMs)) },
    });
    expect(outcomes.map((outcome) => compare(outcome, said!.get(outcome.sequence), 14))).toEqual([1, 2, 2, 2]);
    expect(outcomes[1].tokens).toEqual(outcomes[2].tokens);
  });

  const running = [
    { index: 0, arrival: 0, promptTokens: 40, outputTokens: 200 },
    { index: 1, arrival: 0, promptTokens: 40, outputTokens: 300 },
  ];

  it('leaves the books as they were', () => {
    const with_ = drive(running, {
      price,
      at: { seconds: 0.1, call: (machine) => void forecast(machine.moment(), stepMs) },
    });
    expect(with_.map(({ tokens }) => tokens)).toEqual(drive(running, { price }).map(({ tokens }) => tokens));
  });

  it('counts with newcomers when they come, and looks no further than it is asked to', () => {
    const newcomer = new ScheduledSequence(9, 100, 50);
    let said: ReturnType<typeof forecast> | undefined;
    drive(running, {
      price,
      at: {
        seconds: 0.1,
        call: (machine) => {
          const newcomers = [{ sequence: newcomer, inMs: 200 }];
          said = forecast(machine.moment(), stepMs, { newcomers, watched: [newcomer], tokens: () => 5 });
        },
      },
    });
    const { firstMs, tokens, ended } = said!.get(newcomer)!;
    // Two steps may be under way, and the third is its prompt's.
    expect(firstMs).toBeGreaterThan(200);
    expect(firstMs).toBeLessThan(225);
    expect(tokens).toBe(5);
    expect(ended).toBe(false);
    expect(newcomer).toMatchObject({ computed: 0, delivered: 0, slot: -1 });
  });

  it('takes answers to be as long as it is told', () => {
    let said: ReturnType<typeof forecast> | undefined;
    const outcomes = drive(running, {
      price,
      at: {
        seconds: 0.1,
        call: (machine) => (said = forecast(machine.moment(), stepMs, { lengthOf: () => 30 })),
      },
    });
    expect(said!.get(outcomes[1].sequence)).toMatchObject({ tokens: 30, ended: true });
  });
});
