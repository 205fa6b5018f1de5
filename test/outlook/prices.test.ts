import { describe, expect, it } from 'vitest';
import { StepPrices } from '../../src/outlook/prices.js';
import type { StepLoad } from '../../src/scheduler/step-load.js';

const rows = (count: number): StepLoad => ({
  decodeRows: count,
  decodeKeys: 40 * count,
  prompts: [],
  logitRows: count,
});
const prompt = (tokens: number): StepLoad => ({ ...rows(0), prompts: [{ begin: 0, end: tokens }], logitRows: 1 });

/** What a step takes once its kernels are there. */
const taken = ({ decodeRows, prompts }: StepLoad): number => (prompts.length > 0 ? 20 : 4 + decodeRows / 8);

describe('prices of steps that those before have taught', () => {
  it('do not know the first step of a size, in which a driver translates kernels', () => {
    const prices = new StepPrices();
    const seen = new Set<StepLoad>();
    const [long, short, one, eight] = [prompt(200), prompt(9), rows(1), rows(8)];
    const [ones, eights] = [one, eight].map((load) => Array<StepLoad>(20).fill(load));
    const run = [long, one, short, eight, ...ones, ...eights];
    for (const load of [...run, long, short, eight]) {
      prices.observe(load, seen.has(load) ? taken(load) : 2000);
      seen.add(load);
    }
    expect(prices.known).toBe(true);
    for (const load of [one, eight]) expect(prices.expected(load)).toBeLessThan(2 * taken(load));
    expect(prices.pace).toBeLessThan(2);
  });

  it('are unknown while every step was the first of its size, and a calibration is not', () => {
    const [learnt, calibrated] = [new StepPrices(), new StepPrices({ seconds: () => 0.005 })];
    for (let size = 1; size < 1 << 10; size *= 2) {
      expect(learnt.observe(prompt(size), 2000)).toBeUndefined();
      expect(calibrated.observe(prompt(size), 10)).toBe(5);
    }
    expect(learnt.known).toBe(false);
    expect(calibrated.pace).toBe(2);
  });
});
