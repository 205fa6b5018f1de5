import { describe, expect, test } from 'vitest';
import type { BatchSequence, BatchShape } from '../../src/model/operations.js';
import { BLOOM_176B } from '../../src/roofline/models/bloom.js';
import { hardwareById } from '../../src/roofline/hardware/catalogue.js';
import { DEEPSEEK_V2 } from '../../src/roofline/models/deepseek.js';
import { fromCalibration } from '../../src/roofline/hardware/hardware.js';
import { Predictor } from '../../src/roofline/predict/predictor.js';
import { StepLines } from '../../src/roofline/predict/step-lines.js';
import { calibration } from './calibration.js';
import { decodeStep } from '../../src/roofline/predict/decode-line.js';
import { preset, presetConfig } from './models.js';
import { familyModel, type Model } from '../../src/roofline/models/models.js';

const h100 = hardwareById('h100-sxm');

/** Numbers from 0 to below n, the same in every run (Park and Miller's generator). */
function random(seed: number): (n: number) => number {
  let state = seed;
  return (n) => (state = (state * 48_271) % 2_147_483_647) % n;
}

/** A step as a scheduler may make it: rows that decode, guesses that are checked, chunks of prompts, or some of these. */
function step(below: (n: number) => number): BatchShape {
  const kind = 1 + below(7);
  const sequences: BatchSequence[] = [];
  if ((kind & 1) > 0)
    for (let rows = below(30); rows >= 0; rows--) sequences.push({ newTokens: 1, context: below(4000) });
  if ((kind & 2) > 0) sequences.push({ newTokens: 1 + below(5), context: below(4000), prefill: false });
  if ((kind & 4) > 0) {
    for (let prompts = below(3); prompts >= 0; prompts--) {
      sequences.push({ newTokens: 1 + below(600), context: below(3) * 512, prefill: true });
    }
  }
  return { sequences, logitRows: below(sequences.length + 1) };
}

/** Windows in two layers of three. */
function windowedModel(): Model {
  const layers = 3;
  const config = { ...presetConfig('mistral-7b'), layers, window: 700, windowed: [true, false, true] };
  return familyModel('windowed', config);
}

describe('steps of as many tokens as one before', () => {
  test.each([
    ['Llama', new Predictor(preset('llama-3.1-8b'), h100)],
    [
      'quantised Llama on chips that share it',
      new Predictor(preset('llama-3.1-70b'), h100, { tensorParallel: 8, weights: 'int4', kv: 'int8' }),
    ],
    [
      'Llama in the engine’s int8',
      new Predictor(preset('llama-2-7b'), fromCalibration(calibration), { compute: 'int8' }),
    ],
    ['Mistral, whose window is shorter than contexts', new Predictor(windowedModel(), h100)],
    ['BLOOM', new Predictor(BLOOM_176B, h100, { tensorParallel: 8 })],
    ['DeepSeek', new Predictor(DEEPSEEK_V2, h100, { tensorParallel: 8 })],
  ])('take what their operations add up to: %s', (_, predictor) => {
    const below = random(7);
    const lines = new StepLines(predictor);
    for (let turn = 0; turn < 400; turn++) {
      const shape = step(below);
      const exact = predictor.deviceSeconds(shape);
      expect(Math.abs(lines.seconds(shape) / exact - 1), JSON.stringify(shape)).toBeLessThan(1e-9);
    }
  });

  test('decoding past a window costs what its steps add up to, and no more than at the window', () => {
    const predictor = new Predictor(windowedModel(), h100);
    const exact = (context: number, steps: number): number =>
      Array.from({ length: steps }, (_, i) => predictor.deviceSeconds(decodeStep(context + i, 2))).reduce(
        (a, b) => a + b,
      );
    for (const [context, steps] of [
      [10, 5],
      [600, 300],
      [2000, 40],
    ] as const) {
      expect(predictor.decodeSeconds(context, steps, 2) / exact(context, steps)).toBeCloseTo(1, 4);
    }
    const read = (context: number) =>
      windowedModel()
        .operations(decodeStep(context, 1), { weightBytes: 2, kvBytes: 2, activationBytes: 4 })
        .filter(({ kind }) => kind === 'attention')
        .map(({ kvReadBytes }) => kvReadBytes);
    // 8 heads of 128 keys and values of 2 bytes, of the tokens that are seen.
    expect(read(699)).toEqual([700, 700, 700].map((tokens) => tokens * 4096));
    expect(read(5000)).toEqual([700, 5001, 700].map((tokens) => tokens * 4096));
  });

  test('the same tokens divided otherwise are another step', () => {
    const predictor = new Predictor(DEEPSEEK_V2, h100, { tensorParallel: 8 });
    const divided = [[1, 1, 1, 1], [2, 2], [4], [3, 1]].map((lengths): BatchShape => ({
      sequences: lengths.map((newTokens) => ({ newTokens, context: 900, prefill: true })),
      logitRows: 1,
    }));
    const lines = new StepLines(predictor);
    for (const order of [divided, divided.toReversed()]) {
      for (const shape of order) {
        expect(lines.seconds(shape) / predictor.deviceSeconds(shape)).toBeCloseTo(1, 9);
      }
    }
    const different = new Set(divided.map((shape) => lines.seconds(shape).toPrecision(9)));
    expect(different.size).toBeGreaterThan(2); // pairs of [2, 2] and [3, 1] differ by one
  });

  test('an empty step costs what its operations do', () => {
    const predictor = new Predictor(preset('llama-3.1-8b'), h100);
    const nothing = { sequences: [], logitRows: 0 };
    expect(predictor.stepSeconds(nothing)).toBe(predictor.deviceSeconds(nothing));
  });

  test('what a step takes does not depend on what was asked before', () => {
    const below = random(11);
    const steps = Array.from({ length: 60 }, () => step(below));
    const asked = (order: readonly BatchShape[]) => {
      const predictor = new Predictor(preset('llama-3.1-8b'), h100);
      return new Map(order.map((shape) => [shape, predictor.stepSeconds(shape)]));
    };
    const [forwards, backwards] = [asked(steps), asked(steps.toReversed())];
    for (const shape of steps) expect(backwards.get(shape)).toBe(forwards.get(shape));
  });
});
