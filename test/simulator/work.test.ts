import { describe, expect, it } from 'vitest';
import { phaseSummary } from '../../src/roofline/predict/phase-summary.js';
import { predictorOf } from '../../src/published/seeds/subjects.js';
import { sumsOf, WorkOf } from '../../src/simulator/work.js';

const predictor = predictorOf('llama-3.1-8b', 'h100-sxm');
const none = { steps: 0, promptTokens: 0, decodedTokens: 0, logitRows: 0, keys: 0, pairs: 0 };

describe('the work of steps by their sums', () => {
  it('is what the operations of a decode step add up to', () => {
    const sequences = [100, 300, 700].map((context) => ({ newTokens: 1, context }));
    const step = { sequences, logitRows: 3 };
    const { flops, bytes } = phaseSummary(predictor, [step], 1);
    const work = new WorkOf(predictor).of({
      ...none,
      steps: 1,
      decodedTokens: 3,
      logitRows: 3,
      keys: 1103,
      pairs: 1103,
    });
    expect(work.flops / flops).toBeCloseTo(1, 9);
    expect(work.bytes / bytes).toBeCloseTo(1, 9);
  });

  it('is that of a prompt within a percent, bytes within a tenth: its kernels move activations otherwise', () => {
    const step = { sequences: [{ newTokens: 512, context: 256, prefill: true }], logitRows: 1 };
    const { flops, bytes } = phaseSummary(predictor, [step], 1);
    const pairs = 512 * 256 + (512 * 513) / 2;
    const work = new WorkOf(predictor).of({ ...none, steps: 1, promptTokens: 512, logitRows: 1, keys: 768, pairs });
    expect(work.flops / flops).toBeCloseTo(1, 2);
    expect(Math.abs(work.bytes / bytes - 1)).toBeLessThan(0.1);
  });

  it('adds up over machines, and says how long it takes at the rates of the data sheet', () => {
    const one = { ...none, steps: 2, decodedTokens: 5, logitRows: 5, keys: 50, pairs: 50 };
    const of = new WorkOf(predictor);
    expect(of.of(sumsOf([one, one])).flops).toBeCloseTo(2 * of.of(one).flops, 0);
    expect(of.of(one).memorySeconds).toBeCloseTo(of.of(one).bytes / predictor.hardware.bandwidth, 12);
  });
});
