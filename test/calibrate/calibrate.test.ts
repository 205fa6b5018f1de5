import { describe, expect, it } from 'vitest';
import { calibrate } from '../../bench/calibrate/calibrate.js';
import { fitSteps } from '../../bench/calibrate/step-costs.js';
import { inRounds, summarise } from '../../bench/calibrate/timing.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { calibrationKey, calibrationSchema } from '../../src/roofline/calibration.js';
import { adapters } from '../support/adapters.js';

describe('timings', () => {
  it('keeps the best, the median and the spread', () => {
    expect(summarise([5, 1, 2, 3, 4])).toEqual({ best: 1, median: 3, spread: (5 - 1) / 3 });
    expect(summarise([2])).toEqual({ best: 2, median: 2, spread: 0 });
  });
});

describe('rounds of timings', () => {
  it('run all in turn, and leave the first round out', async () => {
    const order: string[] = [];
    const timed = (name: string) => ({
      name,
      run: () => Promise.resolve(order.push(name) <= 2 ? 100 : 1),
    });
    const list = [timed('a'), timed('b')];
    const timings = await inRounds(list, { least: 3, most: 3 });
    expect(order.join('')).toBe('abababab');
    expect(timings.get(list[0])!.median).toBe(1);
  });
});

describe('costs of steps', () => {
  it('are found again in steps made of them', () => {
    const points = [1, 2, 4, 8].flatMap((rows) =>
      [0.002, 0.01, 0.05].map((device) => ({ device, rows, measured: 1.1 * device + 0.0005 + 0.0002 * rows })),
    );
    const { stretch, seconds, rowSeconds } = fitSteps(points);
    for (const { device, rows, measured } of points) {
      expect(Math.abs((stretch * device + seconds + rowSeconds * rows) / measured - 1)).toBeLessThan(0.02);
    }
    expect(stretch).toBeCloseTo(1.1, 1);
  });

  it('are not thrown off by one disturbed step', () => {
    const points = Array.from({ length: 9 }, (_, at) => ({
      device: 0.01 * (at + 1),
      rows: 1,
      measured: 0.01 * (at + 1),
    }));
    points[4] = { ...points[4], measured: 1 };
    expect(fitSteps(points).stretch).toBeCloseTo(1, 1);
  });
});

describe('calibration files', () => {
  it('are named after adapter and driver, in characters any file system takes', () => {
    const key = calibrationKey('llvmpipe (LLVM 15, 256 bits)', 'Mesa 25.0.7-2~bpo12+1');
    expect(key).toBe('llvmpipe-llvm-15-256-bits-mesa-25.0.7-2-bpo12-1');
  });
});

describe.each(adapters)('ceilings of %s', (adapter) => {
  it('are measured, plausible and fit the schema', async () => {
    const seen: string[] = [];
    const calibration = await calibrate(nodeHost, 'test', {
      adapter,
      ceilingsOnly: true,
      onProgress: (what) => seen.push(what),
    });
    expect(() => calibrationSchema.parse(calibration)).not.toThrow();
    const { ceilings } = calibration;
    // A machine that computes at all: bounds wide enough for a slow driver and for a data centre's card.
    expect(ceilings.readBytesPerSecond).toBeGreaterThan(1e7);
    expect(ceilings.readBytesPerSecond).toBeLessThan(2e13);
    expect(ceilings.f32FlopsPerSecond).toBeGreaterThan(1e8);
    expect(ceilings.f32FlopsPerSecond).toBeLessThan(1e15);
    expect(ceilings.dispatchSeconds).toBeLessThan(0.01);
    expect(ceilings.recordSeconds).toBeLessThan(0.001);
    expect(ceilings.roundTripSeconds).toBeLessThan(1);
    expect(Object.keys(calibration.spread)).toContain('readBytesPerSecond');
    expect(seen.some((what) => what.startsWith('memory copy'))).toBe(true);
    expect(calibration.profiledSeconds).toBeLessThan(0.01);
    expect(calibration.efficiencies).toEqual({});
  });
});
