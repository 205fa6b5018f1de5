import { describe, expect, it } from 'vitest';
import { clockTick, timesForClock } from '../../bench/calibrate/clock.js';

describe('a clock that tells little', () => {
  it('is found out by the least that it goes on by', () => {
    let calls = 0;
    // Goes on by 100 us at every seventh look, as in a browser.
    const tick = clockTick(() => Math.floor(calls++ / 7) * 0.1);
    expect(tick).toBeCloseTo(1e-4, 9);
    expect(clockTick()).toBeLessThan(0.1);
  });

  it('has as much done as it needs, and no more', () => {
    expect(timesForClock(1, 1e-3, 32)).toBe(1);
    expect(timesForClock(5e-3, 1e-3, 32)).toBe(4);
    expect(timesForClock(0, 1e-3, 32)).toBe(20);
    expect(timesForClock(0, 1e-3, 8)).toBe(8);
  });
});
