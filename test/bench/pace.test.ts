import { describe, expect, it } from 'vitest';
import { PaceLog, paceOf, paceRatio } from '../../bench/pace.js';
import { nodeHost } from '../../src/platform/node/host.js';

describe('the pace of a host', () => {
  it.each([
    // 150 ms apart at least: three runs of 50 ms.
    [10, [0, 3, 6, 9]],
    // Where a sample takes 40 ms, eight times that: seven runs.
    [40, [0, 7]],
  ])('is sampled between runs, and not more often than it is worth: %i ms', async (ms, taken) => {
    let now = 0;
    const sample = () => {
      now += ms;
      return Promise.resolve(ms);
    };
    const log = PaceLog.of('k', sample, () => now);
    const at: number[] = [];
    for (let run = 0; run < 10; run++) {
      const before = log.samples.length;
      await log.between();
      if (log.samples.length > before) at.push(run);
      now += 50;
    }
    expect(at).toEqual(taken);
    expect(log.pace()).toEqual({ kernel: 'k', ms: { decile: ms, median: ms, fastest: ms } });
  });

  it('is a ratio of times of the same kernel', () => {
    const calibrated = paceOf('k', [10, 12, 14]);
    const now = { kernel: 'k', samples_ms: [30, 24, 20] };
    expect(paceRatio(now, calibrated, 'median')).toBe(2);
    expect(paceRatio(now, calibrated, 'fastest')).toBe(2);
    expect(paceRatio({ ...now, kernel: 'another' }, calibrated)).toBeUndefined();
    expect(paceRatio(now, undefined)).toBeUndefined();
    expect(paceRatio({ kernel: 'k', samples_ms: [] }, calibrated)).toBeUndefined();
    expect(paceOf('k', [])).toBeUndefined();
  });

  it('is measured with a kernel on a device of its own', async () => {
    const log = await PaceLog.open(nodeHost, 'swiftshader');
    try {
      await log.between();
      expect(log.kernel).toBe('fma 4 x 16 x 64 x 16');
      expect(log.samples).toHaveLength(1);
      expect(log.samples[0]).toBeGreaterThan(0);
    } finally {
      await log.close();
    }
  });
});
