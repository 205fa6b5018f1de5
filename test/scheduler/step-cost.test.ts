import { describe, expect, it } from 'vitest';
import { LearntStepCost } from '../../src/scheduler/step-cost.js';
import type { BatchShape } from '../../src/model/operations.js';
import { random } from '../reference/compare.js';

const batch = (decode: number, context: number, prefill: number): BatchShape => ({
  sequences: [
    ...Array.from({ length: decode }, () => ({ newTokens: 1, context })),
    ...(prefill > 0 ? [{ newTokens: prefill, context: 0 }] : []),
  ],
  logitRows: decode,
});

describe('LearntStepCost', () => {
  it('comes to know what steps cost, and follows when that changes', () => {
    const learnt = new LearntStepCost();
    const rng = random(1);
    for (const slower of [1, 3]) {
      const truth = (decode: number, context: number, prefill: number): number =>
        slower * (2 + 0.5 * decode + 0.1 * prefill + 1e-4 * decode * context);
      for (let i = 0; i < 300; i++) {
        const [decode, context, prefill] = [
          1 + rng.integer(8),
          rng.integer(400),
          rng.integer(2) * (2 + rng.integer(400)),
        ];
        const noise = 0.9 + 0.2 * rng.next();
        learnt.observe(batch(decode, context, prefill), noise * truth(decode, context, prefill));
      }
      for (const [decode, context, prefill] of [
        [8, 200, 0],
        [4, 100, 256],
        [1, 10, 64],
      ]) {
        const ratio = learnt.predict(batch(decode, context, prefill)) / truth(decode, context, prefill);
        expect(ratio).toBeGreaterThan(0.7);
        expect(ratio).toBeLessThan(1.4);
      }
    }
  });

  it('does not learn from the first step of a size, in which a driver may translate kernels', () => {
    const learnt = new LearntStepCost();
    for (const rows of [1, 2, 4, 8]) expect(learnt.observe(batch(rows, 100, 0), 2000)).toBe(false);
    expect(learnt.observe(batch(1, 100, 300), 2000)).toBe(false);
    for (let i = 0; i < 20; i++) expect(learnt.observe(batch(1 + (i % 8), 100, 0), 5)).toBe(true);
    expect(learnt.predict(batch(8, 100, 0))).toBeCloseTo(5, 1);
  });

  it('never takes work for a saving, whatever came together in the steps so far', () => {
    const learnt = new LearntStepCost();
    // Longer contexts happened to run while the machine was quiet.
    for (let i = 0; i < 50; i++) learnt.observe(batch(4, 50 + 10 * i, i % 5 === 0 ? 100 : 0), 40 - i / 2);
    const [few, many] = [learnt.predict(batch(4, 100, 64)), learnt.predict(batch(4, 2000, 64))];
    expect(few).toBeGreaterThan(0);
    expect(many).toBeGreaterThanOrEqual(few);
  });

  it('stays finite after thousands of equal steps, and never predicts less than nothing', () => {
    const learnt = new LearntStepCost();
    expect(learnt.predict(batch(4, 10, 100))).toBe(0);
    for (let i = 0; i < 5000; i++) learnt.observe(batch(8, 100, 0), 5);
    expect(learnt.predict(batch(8, 100, 0))).toBeCloseTo(5, 1);
    expect(Number.isFinite(learnt.predict(batch(1, 4000, 512)))).toBe(true);
    for (let i = 0; i < 2; i++) learnt.observe(batch(8, 100, 300), 30);
    expect(learnt.predict(batch(8, 100, 300))).toBeGreaterThan(10);
    expect(learnt.predict(batch(1, 0, 0))).toBeGreaterThanOrEqual(0);
  });
});
