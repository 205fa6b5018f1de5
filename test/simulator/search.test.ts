import { describe, expect, it } from 'vitest';
import { meanOfRuns } from '../../src/simulator/intervals.js';
import { frontier, highestGood } from '../../src/simulator/search.js';
import { judge, parseSlo } from '../../src/simulator/slo.js';
import { simulate } from '../../src/simulator/simulation.js';
import { overloaded } from '../../src/simulator/summary.js';
import { chromeTrace, traceWindow } from '../../src/cli/commands/simulate/trace-window.js';
import { cluster, constantPrice, poisson, pool } from './support.js';

describe('the highest good value', () => {
  it('is found within its precision, and not at all where none is', async () => {
    const asked: number[] = [];
    const below = (limit: number) => (value: number) => (asked.push(value), Promise.resolve(value <= limit));
    const found = await highestGood(1, 0.01, below(37.3));
    expect(found).toBeLessThanOrEqual(37.3);
    expect(found).toBeGreaterThan(37.3 * 0.99);
    expect(asked.length).toBeLessThan(16);
    expect(await highestGood(1, 0.01, below(0.5))).toBeUndefined();
  });
});

describe('the frontier of two pools', () => {
  it('is every pair of which neither can be smaller, found along the edge', async () => {
    const good = (first: number, second: number): boolean => first * second >= 12 && first >= 2;
    let asked = 0;
    const edge = await frontier(
      { first: 12, second: 12 },
      ({ first, second }) => (asked++, Promise.resolve(good(first, second))),
    );
    const smallest = new Map<number, number>();
    for (let first = 1; first <= 12; first++) {
      for (let second = 12; second >= 1; second--) if (good(first, second)) smallest.set(first, second);
    }
    // Of those, the ones that no pair with fewer of the first is as good as.
    const expected = [...smallest].filter(
      ([first, second]) => ![...smallest].some(([a, b]) => a < first && b <= second),
    );
    expect(edge.map(({ first, second }) => [first, second])).toEqual(expected);
    expect(asked).toBeLessThan(25);
  });
});

describe('an SLO', () => {
  it('is a known set or limits in ms', () => {
    expect(parseSlo('spad:normal').limits).toContainEqual({ measure: 'ttft', percent: 90, most: 3 });
    expect(parseSlo('ttft:p90:500,tbt:p99:50').limits).toEqual([
      { measure: 'ttft', percent: 90, most: 500 },
      { measure: 'tbt', percent: 99, most: 50 },
    ]);
    for (const wrong of ['spad', 'ttft:90:500', 'itl:p90:5', 'ttft:p90:0', 'ttft:p90:'])
      expect(() => parseSlo(wrong)).toThrow('an SLO must be one of spad:loose');
  });

  it('is judged by what became of requests; one that was refused meets nothing', () => {
    const requests = [1, 1, 1, 100].map((promptTokens, index) => ({
      index,
      arrival: index,
      promptTokens,
      outputTokens: 2,
    }));
    const { traces } = simulate(cluster([pool({ price: constantPrice(0.1), blocks: 2, blockTokens: 16 })]), requests);
    const [half, all] = judge(parseSlo('ttft:p50:101,ttft:p99:1e6'), traces);
    expect(half.found).toBeCloseTo(100, 6);
    expect(half.met).toBe(true);
    expect(all).toMatchObject({ found: Infinity, met: false });
    // Of four, three were served: the 75th percentile is the third.
    expect(judge(parseSlo('ttft:p75:101'), traces)[0].found).toBeCloseTo(100, 6);
  });
});

describe('several runs', () => {
  it("have Student's interval", () => {
    // Mean 3, standard deviation 1, three runs: 4.303 / sqrt(3).
    expect(meanOfRuns([2, 3, 4]).half).toBeCloseTo(4.303 / Math.sqrt(3), 9);
    expect(meanOfRuns([5])).toEqual({ mean: 5, half: undefined });
  });
});

describe('a queue without end', () => {
  const run = (load: number) =>
    simulate(
      cluster([pool({ price: constantPrice(0.01), maxSequences: 1 })]),
      poisson(2000, load / 0.1, 5, () => ({ promptTokens: 1, outputTokens: 10 })),
    ).traces;
  it('is told from a stable one', () => {
    expect(overloaded(run(1.3))).toBe(true);
    expect(overloaded(run(0.6))).toBe(false);
  });
});

describe('a window of a simulation', () => {
  it('holds the steps in it as slices of their machines', () => {
    const requests = [{ index: 0, arrival: 0, promptTokens: 4, outputTokens: 3 }];
    const simulation = simulate(cluster([pool()]), requests, { keepSteps: true });
    const { traceEvents } = chromeTrace([{ simulation }], traceWindow.read('1.5s..2.5s out.json', undefined)!) as {
      traceEvents: { ph: string; name: string; ts?: number; dur?: number }[];
    };
    expect(traceEvents.filter(({ ph }) => ph === 'X')).toMatchObject([
      { name: 'decode', ts: 1e6, dur: 1e6 },
      { name: 'decode', ts: 2e6, dur: 1e6 },
    ]);
    expect(traceWindow.read('2..1 x', undefined)).toBeUndefined();
  });
});
