import { expect, test } from 'vitest';
import { FELT_AT_FIRST, paceFelt, type TakenInTurn } from '../../bench/calibrate/pace-felt.js';
import type { ReferencePace } from '../../bench/compare/statistic.js';
import { plan } from '../../bench/plan.js';
import { runBench } from '../../bench/runner.js';
import type { BenchRecord } from '../../bench/schema.js';
import { random } from '../../src/traffic/random.js';
import { begun, measureFake, OPTIONS } from '../bench/made-up.js';

const { points } = plan(OPTIONS, { contextLength: 256, kvTokens: 256, sequences: 2 });
const { records } = await runBench(begun(), points, measureFake());

/** Milliseconds that wander about as many, each for a few rounds, by as much as a share of them. */
function wandering(ms: number, share: number, seed: number, rounds = 240): number[] {
  const next = random(seed);
  let now = ms;
  return Array.from({ length: rounds }, (_, round) => {
    if (round % 3 === 0) now = ms * (1 + share * (2 * next() - 1));
    return now;
  });
}

interface Machine {
  /** Exponents. */
  readonly prompts: number;
  readonly tokens: number;
  /** The same of what is no work. */
  readonly launches?: number;
  /** Milliseconds of the kernels of work and of launches in each round. */
  readonly rounds?: readonly number[];
  readonly launchRounds?: readonly number[];
  /** By how much each time of the kernel beside a repetition is off. */
  readonly noise?: () => number;
  readonly work?: number;
}

/** Rounds over all points on a machine whose pace is another in each. */
function taken({ prompts, tokens, launches = 1, noise, work = 1, ...machine }: Machine): TakenInTurn[] {
  const { rounds = [10, 12, 20, 15, 11], launchRounds = rounds.map(() => 2) } = machine;
  return records.map((each, at): TakenInTurn => {
    const times = (exponent: number, unit: number) =>
      rounds.map((ms, at) => unit * ((1 - work) * (launchRounds[at] / 2) ** launches + work * (ms / 12) ** exponent));
    const timed = (list: readonly number[]) => list.map((ms) => ms * (noise?.() ?? 1));
    const compute = timed(rounds);
    const paces = { paces_ms: { compute, memory: compute.map(() => 7), launch: timed(launchRounds) } };
    const turns = rounds.map((_, round) => round * records.length + at);
    const record = ((): BenchRecord => {
      if (each.kind === 'ttft') return { ...each, ...paces, ttfts_ms: times(prompts, 3) };
      if (each.kind === 'tpot') return { ...each, ...paces, tpots_ms: times(tokens, 0.5) };
      if (each.kind === 'llama-bench') {
        return { ...each, ...paces, samples_ns: times(each.n_prompt > 0 ? prompts : tokens, 1e6) };
      }
      return { ...each, ...paces, unprofiled_ms: times(each.phase === 'prefill' ? prompts : tokens, 7) };
    })();
    return { record, turns, work };
  });
}

test('each phase is found to feel the pace as strongly as its repetitions do', () => {
  const found = paceFelt(taken({ prompts: 1.1, tokens: 0.6, rounds: wandering(12, 0.4, 6) }));
  expect(found.prompts.compute).toBeCloseTo(1.1, 1);
  expect(found.tokens.compute).toBeCloseTo(0.6, 1);
});

test('work and launches are told apart, each by its own kernel', () => {
  const [rounds, launchRounds] = [wandering(12, 0.3, 1), wandering(2, 0.3, 2)];
  const found = paceFelt(taken({ prompts: 1.1, tokens: 0.6, launches: 0.8, work: 0.5, rounds, launchRounds }));
  // Held a little by what is taken for granted: 0.4 and 1.
  expect(Math.abs(found.prompts.compute - 1.1)).toBeLessThan(0.1);
  expect(Math.abs(found.tokens.compute - 0.6)).toBeLessThan(0.1);
  expect(Math.abs(found.prompts.launch - 0.8)).toBeLessThan(0.1);
  expect(Math.abs(found.tokens.launch - 0.8)).toBeLessThan(0.1);
});

test('only what is work feels the kernel of work', () => {
  const found = paceFelt(taken({ prompts: 1.1, tokens: 0.6, work: 0.5, rounds: wandering(12, 0.3, 3) }));
  expect(Math.abs(found.prompts.compute - 1.1)).toBeLessThan(0.12);
  expect(Math.abs(found.tokens.compute - 0.6)).toBeLessThan(0.12);
  expect(found.prompts.launch).toBeCloseTo(1, 9);
  expect(found.tokens.launch).toBeCloseTo(1, 9);
});

test('a pace that is off by chance does not make it look weaker', () => {
  const next = random(4);
  // Noise as large as what changes: least squares would halve the exponents.
  const noise = () => Math.exp(0.35 * (2 * next() - 1));
  const found = paceFelt(taken({ prompts: 1.1, tokens: 0.7, noise, rounds: wandering(12, 0.35, 5) }));
  expect(Math.abs(found.prompts.compute - 1.1)).toBeLessThan(0.25);
  expect(Math.abs(found.tokens.compute - 0.7)).toBeLessThan(0.25);
});

test('a quiet machine teaches little, and none that cannot be', () => {
  const quiet = paceFelt(taken({ prompts: 3, tokens: 0, rounds: [10, 10.01, 10, 9.99, 10] }));
  expect(quiet.prompts.compute).toBeCloseTo(0.4, 2);
  expect(quiet.tokens.compute).toBeCloseTo(0.4, 2);
  const wild = paceFelt(taken({ prompts: 4, tokens: -2 }));
  expect([wild.prompts.compute, wild.tokens.compute]).toEqual([1.5, 0]);
});

const inFull = (felt: ReferencePace['felt']) =>
  Object.values(felt).flatMap((each) => Object.values(each).map((exponent) => Number(exponent.toPrecision(9))));

test('what has no pace, or one for other repetitions, counts for nothing', () => {
  const bare = records.map((record) => ({ record, turns: [0, 1], work: 1 }));
  expect(inFull(paceFelt(bare))).toEqual(inFull(FELT_AT_FIRST));
  const other = taken({ prompts: 2, tokens: 2 }).map((each) => ({
    ...each,
    record: { ...each.record, paces_ms: { compute: [1, 2], memory: [1, 2], launch: [1, 2] } },
  }));
  expect(inFull(paceFelt(other))).toEqual(inFull(FELT_AT_FIRST));
});
