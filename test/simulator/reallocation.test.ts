import { describe, expect, it } from 'vitest';
import { ForecastErrors, LOAD_PREDICTORS, loadPredictor } from '../../src/simulator/load-predictors.js';
import { simulate } from '../../src/simulator/simulation.js';
import type { Pool } from '../../src/simulator/cluster.js';
import type { SimulatedRequest } from '../../src/simulator/request.js';
import { cluster, poisson, pool, priceOf } from './support.js';

const transfer = { bytesPerToken: 1, latency: 0, mode: 'layerwise', overlap: 0.9, layers: 4, shared: true } as const;
const price = priceOf(0.01, 1e-4, 1e-6, 1e-4, 0);
const of = (role: Pool['role'], count: number, more: Partial<Pool> = {}): Pool =>
  pool({ name: role, role, count, price, linkBytesPerSecond: 1e9, blocks: 400, ...more });

describe('load predictors', () => {
  const after = (name: (typeof LOAD_PREDICTORS)[number], values: readonly number[]): number => {
    const predictor = loadPredictor(name);
    values.forEach((value) => predictor.observe(value));
    return predictor.next!;
  };

  it.each(LOAD_PREDICTORS)('%s says of a constant load that it goes on', (name) => {
    expect(loadPredictor(name).next).toBeUndefined();
    expect(after(name, [7, 7, 7, 7])).toBeCloseTo(7, 12);
  });

  it('last repeats, ewma lags behind a rise, holt follows it', () => {
    const rise = Array.from({ length: 30 }, (_, at) => 10 * at);
    expect(after('last', rise)).toBe(290);
    expect(after('ewma', rise)).toBeCloseTo(280, 3);
    expect(after('holt', rise)).toBeCloseTo(300, 0);
  });

  it('are held against what came, as shares of it', () => {
    const errors = new ForecastErrors();
    errors.note(undefined, 10);
    expect(errors.mean).toBeUndefined();
    errors.note(8, 10);
    errors.note(11, 10);
    expect(errors.mean).toBeCloseTo(0.15, 12);
  });
});

describe('reallocation', () => {
  /** Long prompts and short answers, then short prompts and long answers. */
  const shifting = (): SimulatedRequest[] => {
    const first = poisson(300, 10, 1, () => ({ promptTokens: 800, outputTokens: 4 }));
    const begin = first.at(-1)!.arrival;
    const second = poisson(300, 10, 2, () => ({ promptTokens: 40, outputTokens: 300 }));
    return [...first, ...second.map((each) => ({ ...each, index: each.index + 300, arrival: each.arrival + begin }))];
  };
  const pools = [of('prefill', 4), of('decode', 4)];

  it.each([true, false])('moves machines to where the load is, loses nothing (draining: %s)', (drain) => {
    const plan = { every: 2, predictor: 'holt', drain } as const;
    const { traces, machines, reallocation } = simulate(cluster(pools, { transfer, reallocation: plan }), shifting());
    expect(
      traces.every(({ status, tokens, request }) => status === 'completed' && tokens.count === request.outputTokens),
    ).toBe(true);
    for (const { freeBlocks, blocks } of machines) expect(freeBlocks).toBe(blocks);
    expect(reallocation!.moves).toBeGreaterThan(0);
    const { timeline } = reallocation!;
    expect(timeline.at(-1)!.decode).toBeGreaterThan(4);
    expect(timeline.every(({ prefill, decode }) => prefill + decode === 8 && prefill >= 1 && decode >= 1)).toBe(true);
    expect(reallocation!.promptError).toBeGreaterThan(0);
  });

  it('serves a load that has shifted sooner than machines that stay', () => {
    const end = (plan: object): number => simulate(cluster(pools, { transfer, ...plan }), shifting()).duration;
    const moved = end({ reallocation: { every: 2, predictor: 'last', drain: true } });
    expect(moved).toBeLessThan(end({}));
  });

  it('comes to the same whenever it is run, and needs both phases', () => {
    const plan = { every: 3, predictor: 'ewma', drain: true } as const;
    const run = (): number[] =>
      simulate(cluster(pools, { transfer, reallocation: plan }), shifting()).traces.map(({ end }) => end);
    expect(run()).toEqual(run());
    expect(() => simulate(cluster([pool()], { reallocation: plan }), [])).toThrow('reallocation moves machines');
  });
});

describe('machines that help out', () => {
  const flood = (promptTokens: number, outputTokens: number): SimulatedRequest[] =>
    Array.from({ length: 40 }, (_, index) => ({ index, arrival: 0.001 * index, promptTokens, outputTokens }));
  const pools = [of('prefill', 1), of('decode', 1), of('mixed', 1)];

  it('take prompts once a machine has 8,192 tokens to compute, and decode what they have begun', () => {
    const { traces, machines } = simulate(cluster(pools, { transfer }), flood(1000, 3));
    expect(traces.every(({ status }) => status === 'completed')).toBe(true);
    const [prefill, , mixed] = machines;
    expect(mixed.promptTokens).toBeGreaterThan(0);
    expect(prefill.promptTokens).toBeGreaterThan(7000);
    expect(traces.filter(({ transferred }) => Number.isNaN(transferred)).length * 1000).toBe(mixed.promptTokens);
  });

  it('decode once 2,048 tokens wait for memory elsewhere', () => {
    const small = [of('prefill', 1), of('decode', 1, { blocks: 40 }), of('mixed', 1)];
    const { machines, traces } = simulate(cluster(small, { transfer }), flood(100, 200));
    // All prompts were computed where prompts are.
    expect(traces.every(({ transferred }) => transferred > 0)).toBe(true);
    expect(machines[2].decodedTokens).toBeGreaterThan(1000);
  });

  it('are left alone where there is little to do', () => {
    const { machines } = simulate(cluster(pools, { transfer }), flood(10, 3).slice(0, 5));
    expect(machines[2].steps).toBe(0);
  });
});
