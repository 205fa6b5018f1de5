import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { histogram, mape, quantile, summarize } from '../src/statistics.js';

describe('summarize', () => {
  test('gives what numpy gives', () => {
    const summary = summarize([4, 1, 3, 2, 10]);
    expect(summary).toMatchObject({ count: 5, mean: 4, median: 3, min: 1, max: 10 });
    // numpy.percentile([1, 2, 3, 4, 10], [90, 99, 10]) and numpy.std(ddof=1)
    expect(summary.p90).toBeCloseTo(7.6, 12);
    expect(summary.p99).toBeCloseTo(9.76, 12);
    expect(summary.spread).toBeCloseTo((7.6 - 1.4) / 3, 12);
    expect(summary.std).toBeCloseTo(3.5355339059327378, 12);
  });

  test('keeps outliers', () => {
    expect(summarize([1, 1, 1, 1, 1000]).max).toBe(1000);
    expect(summarize([1, 1, 1, 1, 1000]).mean).toBeCloseTo(200.8, 12);
  });

  test('one sample has no spread', () => {
    expect(summarize([7])).toMatchObject({ mean: 7, median: 7, p90: 7, p99: 7, std: 0, spread: 0 });
  });

  test('no sample is an error', () => {
    expect(() => summarize([])).toThrow('no samples');
  });

  test('quantiles are ordered and within the samples', () => {
    const samples = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(samples, (list) => {
        const { min, median, p90, p99, max } = summarize(list);
        expect([min, median, p90, p99, max]).toEqual([min, median, p90, p99, max].sort((a, b) => a - b));
      }),
    );
  });
});

test('quantile interpolates between neighbours', () => {
  expect(quantile([10, 20], 0.25)).toBe(12.5);
  expect(quantile([5], 0.9)).toBe(5);
});

test('MAPE is relative to what was measured, whichever side it is off', () => {
  const pairs = [
    { measured: 100, predicted: 110 },
    { measured: 10, predicted: 7 },
  ];
  expect(mape(pairs)).toBeCloseTo(0.2, 12);
  expect(mape([])).toBeUndefined();
});

test('a histogram counts every sample between the edges of its bin', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e5, noNaN: true }), { minLength: 1, maxLength: 50 }), (samples) => {
      const { edges_ms, counts } = histogram(samples);
      expect(edges_ms).toHaveLength(counts.length + 1);
      counts.forEach((count, at) => {
        const inside = samples.filter((each) => each >= edges_ms[at] && each < edges_ms[at + 1]);
        expect(count).toBe(inside.length);
      });
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(samples.length);
    }),
  );
});
