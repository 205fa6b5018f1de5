import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arrivalTimes, burstinessOf, cvOf } from '../../src/traffic/arrivals.js';
import { parseTrace } from '../../src/traffic/azure.js';
import { Draws } from '../../src/traffic/draws.js';
import { drawLength, readLengths } from '../../src/traffic/lengths.js';
import { syntheticTrace } from '../../src/traffic/synthetic.js';
import { clip, makeWorkload, type WorkloadOptions } from '../../src/traffic/workload.js';
import { summarize } from '../../src/statistics.js';
import { packageRoot } from '../../src/platform/node/package-root.js';

const MANY = 20_000;
const gapsOf = (times: readonly number[]): number[] => times.slice(1).map((at, index) => at - times[index]);
const cv = (values: readonly number[]): number => {
  const { mean, std } = summarize(values);
  return std / mean;
};

describe('arrivals', () => {
  test.each([
    ['poisson', { kind: 'poisson', rate: 5 }, 1],
    ['gamma in bursts', { kind: 'gamma', rate: 5, burstiness: burstinessOf(2) }, 2],
    ['gamma, evenly', { kind: 'gamma', rate: 5, burstiness: burstinessOf(0.5) }, 0.5],
    ['constant', { kind: 'constant', rate: 5 }, 0],
  ] as const)('%s: the rate is kept exactly, gaps vary as asked', (_, arrivals, wanted) => {
    const times = arrivalTimes(arrivals, MANY, new Draws(1, 'arrivals'));
    expect(times.at(-1)).toBeCloseTo((1000 * MANY) / 5, 3);
    expect(cv(gapsOf(times))).toBeCloseTo(wanted, 1);
    expect(arrivalTimes(arrivals, MANY, new Draws(1, 'arrivals'))).toEqual(times);
    if (wanted > 0) expect(arrivalTimes(arrivals, MANY, new Draws(2, 'arrivals'))).not.toEqual(times);
  });

  test('burstiness and CV say the same', () => {
    for (const value of [0.5, 1, 3]) expect(cvOf(burstinessOf(value))).toBeCloseTo(value);
  });

  test('a closed loop and an infinite rate have all there from the beginning', () => {
    expect(arrivalTimes({ kind: 'closed' }, 3, new Draws(1, 'a'))).toEqual([0, 0, 0]);
    expect(arrivalTimes({ kind: 'poisson', rate: Infinity }, 2, new Draws(1, 'a'))).toEqual([0, 0]);
  });

  test('draws have the moments of their distributions', () => {
    const draws = new Draws(3, 'moments');
    for (const shape of [0.3, 1, 4]) {
      const { mean, std } = summarize(Array.from({ length: MANY }, () => draws.gamma(shape)));
      expect(mean / shape).toBeCloseTo(1, 1);
      expect(std / Math.sqrt(shape)).toBeCloseTo(1, 1);
    }
    const { mean, std } = summarize(Array.from({ length: MANY }, () => draws.normal()));
    expect(mean).toBeCloseTo(0, 1);
    expect(std).toBeCloseTo(1, 1);
  });
});

describe('lengths', () => {
  const parse = (text: string) => readLengths(text)!;
  test('are read, drawn within bounds, and have the median asked for', () => {
    const draws = new Draws(1, 'lengths');
    expect(drawLength(parse('128'), draws)).toBe(128);
    const uniform = Array.from({ length: MANY }, () => drawLength(parse('32-34'), draws));
    expect(new Set(uniform)).toEqual(new Set([32, 33, 34]));
    const lognormal = Array.from({ length: MANY }, () => drawLength(parse('lognormal:200:0.8'), draws));
    expect(Math.abs(summarize(lognormal).median / 200 - 1)).toBeLessThan(0.05);
    expect(Math.min(...lognormal)).toBeGreaterThanOrEqual(1);
  });
  test.each(['', '0', '5-3', '0-3', 'lognormal:5', 'lognormal:0:1', '1.5'])('%j is refused', (text) => {
    expect(readLengths(text)).toBeUndefined();
  });
});

const CSV = [
  'TIMESTAMP,ContextTokens,GeneratedTokens',
  '2023-11-16 18:17:03.9799600,4808,10',
  '2023-11-16 18:17:04.0319605,3180,8',
  '2023-11-16 18:18:04.0319605,110,27',
].join('\r\n');

describe('traces', () => {
  test('keep times below a millisecond', () => {
    const rows = parseTrace(CSV, 'a.csv');
    expect(rows.map(({ promptTokens, outputTokens }) => [promptTokens, outputTokens])).toEqual([
      [4808, 10],
      [3180, 8],
      [110, 27],
    ]);
    expect(rows[0].atMs).toBe(0);
    expect(rows[1].atMs).toBeCloseTo(52.0005, 3);
    expect(rows[2].atMs).toBeCloseTo(60_052.0005, 3);
  });
  test.each([
    ['a header', CSV.replace('ContextTokens', 'Tokens'), 'line 1: expected the header'],
    ['a time', CSV.replace('2023-11-16 18:18', 'noon'), 'line 4: "noon'],
    ['a length', CSV.replace('3180', '0'), 'line 3: expected whole numbers'],
    ['a column', CSV.replace(',27', ',27,1'), 'line 4: expected 3 columns'],
    ['everything', CSV.slice(0, 40), 'there are no requests'],
  ])('what is wrong with %s is said with its line', (_, text, message) => {
    expect(() => parseTrace(text, 'a.csv')).toThrow(
      `a.csv: ${message.startsWith('there') ? 'line 2: ' : ''}${message}`,
    );
  });
});

describe('the synthetic generator', () => {
  test.each([
    ['code', 1469, 13, 63.8],
    ['conversation', 1020, 129, 118.4],
  ] as const)('%s has the medians of the trace', (service, prompt, output, gap) => {
    const rows = syntheticTrace(service, MANY, 7);
    const median = (values: readonly number[]): number => summarize(values).median;
    expect(Math.abs(median(rows.map(({ promptTokens }) => promptTokens)) / prompt - 1)).toBeLessThan(0.03);
    expect(Math.abs(median(rows.map(({ outputTokens }) => outputTokens)) - output)).toBeLessThanOrEqual(2);
    expect(Math.abs(median(gapsOf(rows.map(({ atMs }) => atMs))) / gap - 1)).toBeLessThan(0.1);
    expect(syntheticTrace(service, 50, 7)).toEqual(rows.slice(0, 50));
    expect(syntheticTrace(service, 50, 8)).not.toEqual(rows.slice(0, 50));
  });

  const folder = join(packageRoot(), '..', 'shared', 'data', 'traces');
  test.runIf(existsSync(folder)).each([
    ['code', 'AzureLLMInferenceTrace_code.csv', 8819],
    ['conversation', 'AzureLLMInferenceTrace_conv.csv', 19_366],
  ] as const)('%s is like the real trace', (service, file, count) => {
    const real = parseTrace(readFileSync(join(folder, file), 'utf8'), file);
    expect(real).toHaveLength(count);
    const made = syntheticTrace(service, count, 1);
    for (const key of ['promptTokens', 'outputTokens'] as const) {
      const [a, b] = [made, real].map((rows) => summarize(rows.map((row) => row[key])));
      expect(a.median / b.median, `median ${key}`).toBeCloseTo(1, 1);
      expect(a.mean / b.mean, `mean ${key}`).toBeCloseTo(1, 0);
      expect(a.p90 / b.p90, `p90 ${key}`).toBeCloseTo(1, 1);
    }
  });
});

describe('workloads', () => {
  const options: WorkloadOptions = {
    count: 200,
    seed: 5,
    traffic: {
      kind: 'drawn',
      arrivals: { kind: 'poisson', rate: 4 },
      input: { kind: 'uniform', low: 10, high: 300 },
      output: { kind: 'fixed', tokens: 40 },
    },
    lengthScale: 1,
    sharedPrefix: 20,
    abortShare: 0.25,
  };

  test('are the same for a seed, and what is asked of one thing changes no other', () => {
    const made = makeWorkload(options);
    expect(makeWorkload(options)).toEqual(made);
    const times = made.requests.map(({ atMs }) => atMs);
    expect(makeWorkload({ ...options, abortShare: 0 }).requests.map(({ atMs }) => atMs)).toEqual(times);
    const aborted = made.requests.filter(({ abort }) => abort !== undefined);
    expect(aborted.length / made.requests.length).toBeCloseTo(0.25, 1);
    const more = makeWorkload({ ...options, abortShare: 0.5 }).requests.filter(({ abort }) => abort !== undefined);
    expect(more.map(({ index }) => index)).toEqual(expect.arrayContaining(aborted.map(({ index }) => index)));
  });

  test('a trace is replayed faster, and ends where it ends', () => {
    const rows = parseTrace(CSV, 'a.csv');
    const traced = (count: number) =>
      makeWorkload({
        ...options,
        count,
        lengthScale: 0.1,
        sharedPrefix: 0,
        traffic: { kind: 'trace', rows, scale: 4 },
      });
    expect(traced(3).requests[2].atMs).toBeCloseTo(60_052.0005 / 4, 3);
    expect(traced(3).requests[0]).toMatchObject({ promptTokens: 481, outputTokens: 1 });
    expect(() => traced(4)).toThrow('the trace has 3 requests');
  });

  test('nothing is longer than the context, nothing is lost, and the note says how many were shortened', () => {
    fc.assert(
      fc.property(fc.integer({ min: 64, max: 400 }), fc.nat(1000), (context, seed) => {
        const made = makeWorkload({ ...options, seed });
        const { workload, note } = clip(made, context);
        expect(workload.requests).toHaveLength(made.requests.length);
        let changed = 0;
        for (const [index, request] of workload.requests.entries()) {
          expect(request.promptTokens).toBeGreaterThanOrEqual(1);
          expect(request.outputTokens).toBeGreaterThanOrEqual(1);
          expect(request.promptTokens + request.outputTokens).toBeLessThanOrEqual(context);
          if (request !== made.requests[index]) changed++;
        }
        if (changed === 0) expect(note).toBeUndefined();
        else expect(note).toContain(`${changed} of 200 requests were shortened to the context of ${context} tokens`);
      }),
      { numRuns: 50 },
    );
    expect(() => clip(makeWorkload(options), 40)).toThrow('--shared-prefix 20 takes more than half');
  });
});
