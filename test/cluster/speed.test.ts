import { describe, expect, it } from 'vitest';
import { SpeedOfSteps } from '../../src/cli/commands/worker/speed.js';
import type { BatchShape } from '../../src/model/operations.js';

const prompt = (tokens: number, context = 0): BatchShape => ({
  sequences: [{ newTokens: tokens, context, prefill: true }],
  logitRows: 1,
});
const rows = (count: number, context: number): BatchShape => ({
  sequences: Array.from({ length: count }, () => ({ newTokens: 1, context })),
  logitRows: count,
});
/** Seconds of a machine that takes 2 ms a prompt token and 5 ms a row. */
const price = {
  seconds: ({ prompts, decodeRows }: { prompts: readonly { begin: number; end: number }[]; decodeRows: number }) =>
    (2 * prompts.reduce((sum, { begin, end }) => sum + end - begin, 0) + 5 * decodeRows) / 1000,
};

describe('the speed that a worker tells', () => {
  it('is what a calibration says before anything has run, and then with what steps take beyond it', () => {
    const speeds = new SpeedOfSteps();
    expect(speeds.speed()).toBeUndefined();
    speeds.calibrate(price);
    expect(speeds.speed()).toEqual({ promptToken: 2, promptKey: 0, step: 5 });
    // Something else runs on the machine: all takes three times as long.
    for (let step = 0; step < 40; step++) {
      speeds.onStep(prompt(64), 3 * 128);
      speeds.onStep(rows(4, 100), 3 * 20);
    }
    const { promptToken, step } = speeds.speed()!;
    expect(promptToken).toBeCloseTo(6);
    expect(step).toBeCloseTo(15);
  });

  it('tells what a prompt’s tokens take apart from what they read of those before them', () => {
    const speeds = new SpeedOfSteps();
    const reads = 0.003;
    speeds.calibrate({
      seconds: ({ prompts, decodeRows }) =>
        (prompts.reduce((sum, { begin, end }) => sum + (end - begin) * (2 + (reads * (begin + end)) / 2), 0) +
          5 * decodeRows) /
        1000,
    });
    const { promptToken, promptKey } = speeds.speed()!;
    expect(promptToken).toBeCloseTo(2);
    expect(promptKey).toBeCloseTo(reads);
  });

  it('is learnt from steps where there is none', () => {
    const speeds = new SpeedOfSteps();
    for (let step = 0; step < 40; step++) {
      speeds.onStep(prompt(64 + step, step), 2 * (64 + step));
      speeds.onStep(rows(1 + (step % 4), 50 + step), 5);
    }
    const { promptToken, step } = speeds.speed()!;
    expect(promptToken).toBeGreaterThan(1.5);
    expect(promptToken).toBeLessThan(2.5);
    expect(step).toBeGreaterThan(3);
    expect(step).toBeLessThan(7);
  });
});
