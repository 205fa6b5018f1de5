import { describe, expect, it } from 'vitest';
import { calibrate } from '../../bench/calibrate/calibrate.js';
import { summarise } from '../../bench/calibrate/timing.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { calibrationKey, calibrationSchema } from '../../src/roofline/calibration.js';
import { adapters } from '../support/adapters.js';

describe('timings', () => {
  it('keeps the best, the median and the spread', () => {
    expect(summarise([5, 1, 2, 3, 4])).toEqual({ best: 1, median: 3, spread: (5 - 1) / 3 });
    expect(summarise([2])).toEqual({ best: 2, median: 2, spread: 0 });
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
    expect(calibration.efficiencies).toEqual({});
  });
});
