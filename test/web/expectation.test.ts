import { describe, expect, it } from 'vitest';
import type { Calibration } from '../../src/roofline/hardware/calibration.js';
import { fromCalibration } from '../../src/roofline/hardware/hardware.js';
import { besideExpected, boundOf, expectedOf, loadedPredictor } from '../../src/web/expectation.js';
import { LLAMA_2_7B as config } from '../support/model.js';

const GPU: Calibration = {
  ...{ version: 1, adapter: 'a card', driver: 'Chrome 147', isCpu: false, date: '2026-11-30T12:00:00Z' },
  ridgepoint: '0.1.0',
  ceilings: {
    ...{ readBytesPerSecond: 500e9, copyBytesPerSecond: 450e9, f32FlopsPerSecond: 20e12, f16FlopsPerSecond: 40e12 },
    ...{ subgroupMatrix: [], dispatchSeconds: 2e-6, recordSeconds: 1e-6, roundTripSeconds: 1e-3 },
  },
  efficiencies: {},
  spread: {},
};
const info = {
  ...{ model: '7b', dtype: 'f16', headDtype: 'f16', kvDtype: 'f16', activations: 'f32', prefillChunk: 512 },
} as const;
const engine = { info, config } as unknown as Parameters<typeof besideExpected>[0];
const reply = (tpotMs: number, tokens = 64) => ({
  ...{ text: '', promptIds: Array<number>(100).fill(1), ids: Array<number>(tokens).fill(1), cachedTokens: 0 },
  ...{ finishReason: 'length' as const, seed: 0, ttftMs: 300, tpotMs, e2eMs: 0 },
});

describe('what is expected of a reply', () => {
  const predictor = loadedPredictor(engine, fromCalibration(GPU))!;

  it('is the price of its own steps: the weights once a token, at the speed that was measured', () => {
    const prediction = expectedOf(predictor, reply(50))!;
    // 13.5 GB at 500 GB/s are 27 ms; kernels reach less.
    expect(prediction.tpotSeconds).toBeGreaterThan(0.027);
    expect(prediction.tpotSeconds).toBeLessThan(0.045);
    expect(boundOf(prediction.decode!)).toBe('memory');
    expect(expectedOf(predictor, { ...reply(50), ids: [] })).toBeUndefined();
    expect(expectedOf(predictor, { ...reply(50), cachedTokens: 100 })!.cachedTokens).toBe(99);
  });

  it('stands beside the share of the ceiling that was reached', () => {
    const said = besideExpected(engine, GPU, reply(54))!;
    expect(said).toMatch(
      /^Expected: first token after \d+ ms, bound by compute; [\d.]+ ms a token, bound by memory\. /,
    );
    // 13.5 GB in 54 ms, and keys and values of about 130 tokens.
    const [, reached, share] = /It read (\d+) GB\/s, (\d+) % of/.exec(said)!.map(Number);
    expect(reached).toBeGreaterThan(240);
    expect(reached).toBeLessThan(260);
    expect(Math.abs(share - 50)).toBeLessThanOrEqual(1);
    expect(said).toMatch(/so what is expected is rough\.$/);
    expect(besideExpected(engine, undefined, reply(54))).toBeUndefined();
  });

  it('is bound by the browser where most of a step is its part', () => {
    const slow = { ...GPU, ceilings: { ...GPU.ceilings, recordSeconds: 1e-3 } };
    const { decode } = expectedOf(loadedPredictor(engine, fromCalibration(slow))!, reply(250))!;
    expect(boundOf(decode!)).toBe('the browser');
  });
});
