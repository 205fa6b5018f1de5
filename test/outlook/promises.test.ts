import { describe, expect, it } from 'vitest';
import { Promises, type Slo } from '../../src/outlook/promises.js';
import { randomAt } from '../../src/simulator/random.js';
import { chosen } from '../support/scale.js';
import { poisson, priceOf } from '../simulator/support.js';
import { drive, keeps, type Outcome, type SetUp } from './simulated.js';

const price = priceOf(0.006, 0.0004, 2e-7, 2.5e-5, 0);
const stepMs = (load: Parameters<typeof price.seconds>[0]): number => 1000 * price.seconds(load);

const doorOf =
  (slo: Slo, all: Promises[] = []): NonNullable<SetUp['door']> =>
  (machine) => {
    const promises = new Promises({
      moment: () => machine.moment(),
      price: stepMs,
      lengthOf: ({ maxTokens }) => maxTokens,
    });
    all.push(promises);
    return {
      ask: (sequence, arrivedAt, now) => promises.ask(sequence, slo, arrivedAt, now),
      first: (sequence, at) => promises.first(sequence, at),
      drop: (sequence) => promises.drop(sequence),
    };
  };

const lengths = (seed: number) => (index: number) => ({
  promptTokens: 50 + Math.floor(500 * randomAt(seed, 'arrivals', index)),
  outputTokens: 20 + Math.floor(100 * randomAt(seed, 'service', index)),
});

/** Requests a second that are served when there are always some. */
function capacity(): number {
  const requests = poisson(300, 1e6, 1, lengths(1));
  const outcomes = drive(requests, { price });
  return (1000 * requests.length) / Math.max(...outcomes.map(({ tokens }) => tokens.at(-1)!));
}

const goodput = (outcomes: readonly Outcome[], slo: Slo): number =>
  outcomes.filter((outcome) => keeps(outcome, slo)).length /
  Math.max(...outcomes.map(({ tokens }) => tokens.at(-1) ?? 0));

describe('promises under twice the capacity', () => {
  const rate = 2 * capacity();

  it.each([
    ['a TTFT', { ttftMs: 400 }],
    ['gaps', { itlMs: 11 }],
    ['both', { ttftMs: 400, itlMs: 14 }],
  ] as const)('of %s are kept to at least 95 %%, for 1.5 times the goodput', (_, slo) => {
    for (const seed of chosen([1, 2, 3], (_, at) => at === 0)) {
      const requests = poisson(400, rate, seed, lengths(seed));
      const open = drive(requests, { price });
      const guarded = drive(requests, { price, door: doorOf(slo) });
      const admitted = guarded.filter(({ refused }) => refused === undefined);
      const kept = admitted.filter((outcome) => keeps(outcome, slo));
      expect(kept.length).toBeGreaterThanOrEqual(0.95 * admitted.length);
      expect(goodput(guarded, slo)).toBeGreaterThan(1.5 * goodput(open, slo));
      expect(admitted.every(({ tokens, request }) => tokens.length === request.outputTokens)).toBe(true);
    }
  });
});

describe('a promise', () => {
  const alone = { index: 0, arrival: 0, promptTokens: 32, outputTokens: 100 };
  const long = { index: 1, arrival: 0.05, promptTokens: 4000, outputTokens: 4 };

  it('that would break another has its request wait until it does not', () => {
    // Chunks of the long prompt make steps of 13 ms, those of the first alone take 6.5.
    const slo = { itlMs: 7.4 };
    const apart = drive([alone, long], { price, door: doorOf({ ...slo, ttftMs: 1000 }) });
    expect(apart.map((outcome) => keeps(outcome, slo))).toEqual([true, true]);
    expect(apart[1].tokens[0]).toBeGreaterThan(apart[0].tokens.at(-1)!);
    const together = drive([alone, long], { price });
    expect(keeps(together[0], slo)).toBe(false);
  });

  it('that cannot be kept is refused at once, with what it would be and when to come again', () => {
    const slo = { ttftMs: 120 };
    const [{ refused }] = drive([{ ...long, index: 0 }], { price, door: doorOf(slo) });
    // 16 chunks of 256 tokens: 6 ms a step, 25 us a token, and for the first token a third of a row.
    const expected = 16 * 6 + 4000 * 0.025 + 0.3 * 0.4;
    expect(refused!.refusal).toMatchObject({ measure: 'ttft', own: true, promisedMs: 120 });
    expect(refused!.refusal.expectedMs).toBeCloseTo(expected, 6);
    expect(refused!.refusal.retryMs).toBeCloseTo(expected - 120, 6);
  });

  it('of gaps is not made where the gaps of the request alone are longer', () => {
    const [{ refused }] = drive([alone], { price, door: doorOf({ itlMs: 5 }) });
    expect(refused!.refusal).toMatchObject({ measure: 'itl', own: true, promisedMs: 5 });
    expect(refused!.refusal.expectedMs).toBeCloseTo(6.5, 0);
  });

  it('lets requests without one come in where there is none to break, and wait where there is', () => {
    const asks: Promises[] = [];
    const slos: Slo[] = [{ itlMs: 7.4 }, {}];
    const mixed: SetUp['door'] = (machine) => {
      const door = doorOf({}, asks)(machine);
      const [promises] = asks;
      return {
        ...door,
        ask: (sequence, arrivedAt, now) => promises.ask(sequence, slos[sequence.id], arrivedAt, now),
      };
    };
    const outcomes = drive([alone, long], { price, door: mixed });
    expect(outcomes[1].tokens[0]).toBeGreaterThan(outcomes[0].tokens.at(-1)!);
    expect(outcomes[1].tokens.length).toBe(4);
    const free = drive([alone, long], { price, door: doorOf({}) });
    expect(free.map(({ tokens }) => tokens)).toEqual(drive([alone, long], { price }).map(({ tokens }) => tokens));
    expect(asks[0].open).toBe(0);
  });
});
