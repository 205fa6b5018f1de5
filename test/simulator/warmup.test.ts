import { describe, expect, it } from 'vitest';
import type { SimulatedRequest } from '../../src/simulator/request.js';
import { simulate } from '../../src/simulator/simulation.js';
import { parseSlo } from '../../src/simulator/slo.js';
import { trial } from '../../src/simulator/trial.js';
import { counted, readWarmup, warmupOf } from '../../src/simulator/warmup.js';
import { cluster, constantPrice, poisson, pool } from './support.js';

/** Answers of 400 steps of 10 ms: four seconds each, which a system that starts empty takes to fill. */
const slow = cluster([pool({ price: constantPrice(0.01), maxSequences: 500, blocks: 20_000 })]);
const filling = poisson(1500, 30, 3, () => ({ promptTokens: 1, outputTokens: 400 }));

/** MSER-5 as it is defined: means of five, and the place from which on variance over number is least. */
function byDefinition(requests: readonly SimulatedRequest[], ends: readonly number[]): number {
  const inside = requests.map(
    ({ arrival }, at) => requests.slice(0, at).filter((_, other) => ends[other] > arrival).length,
  );
  const means = Array.from({ length: Math.floor(inside.length / 5) }, (_, at) =>
    inside.slice(5 * at, 5 * at + 5).reduce((sum, count) => sum + count / 5, 0),
  );
  const errors = means.slice(0, Math.floor(means.length / 2) + 1).map((_, from) => {
    const rest = means.slice(from);
    const mean = rest.reduce((sum, value) => sum + value, 0) / rest.length;
    return rest.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rest.length ** 2;
  });
  return 5 * errors.indexOf(Math.min(...errors));
}

describe('a warm-up', () => {
  it('is by MSER-5 what it takes until as many requests are under way as later', () => {
    const run = simulate(slow, filling);
    const cut = warmupOf(run.traces, 'mser-5');
    const ends = run.traces.map(({ end }) => end);
    expect(cut.requests).toBe(byDefinition(filling, ends));
    // The first answers leave after four seconds; until then the number grows.
    expect(cut.seconds).toBeGreaterThan(2);
    expect(cut.seconds).toBeLessThan(10);
    expect(cut.seconds).toBe(filling[cut.requests].arrival);
    const rest = counted(run, cut);
    expect(rest.traces).toHaveLength(1500 - cut.requests);
    expect(rest.duration).toBeCloseTo(run.duration - cut.seconds, 12);
  });

  it('is not cut where the load is still settling at half of the run, or there is little to tell by', () => {
    const growing = simulate(slow, filling.slice(0, 110));
    expect(warmupOf(growing.traces, 'mser-5')).toEqual({
      requests: 0,
      seconds: 0,
      refused: expect.stringMatching('settling') as string,
    });
    expect(warmupOf(growing.traces.slice(0, 99), 'mser-5').refused).toMatch(/100 requests/);
  });

  it('is nothing unless asked for, and of so many seconds what came in them', () => {
    const run = simulate(slow, filling);
    expect(counted(run, warmupOf(run.traces, 'none'))).toBe(run);
    const cut = warmupOf(run.traces, 3);
    expect(cut).toEqual({ requests: filling.filter(({ arrival }) => arrival < 3).length, seconds: 3 });
    expect(warmupOf(run.traces, 1e6).requests).toBe(1500);
    expect(['none', 'mser-5', '0', '2.5', '-1', 'mser', '', '1e999'].map(readWarmup)).toEqual([
      'none',
      'mser-5',
      0,
      2.5,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('does not count in a search', async () => {
    // One at a time: what comes in the first second waits for long, what comes later for nothing.
    const single = cluster([pool({ price: constantPrice(0.1), maxSequences: 1 })]);
    const requests = [...new Array<number>(20).fill(0), 30, 40, 50].map((arrival, index) => ({
      index,
      arrival,
      promptTokens: 1,
      outputTokens: 10,
    }));
    const slo = parseSlo('ttft:p99:500');
    expect((await trial(single, requests, { slo })).met).toBe(false);
    const late = await trial(single, requests, { slo, from: 1 });
    expect(late.met).toBe(true);
    expect(late.findings[0].found).toBeCloseTo(100, 6);
  });
});
