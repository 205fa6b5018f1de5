import { describe, expect, it } from 'vitest';
import { fitServing, withoutHost } from '../../bench/calibrate/serving-fit.js';
import { shapeOfStep, StepLog } from '../../bench/serve/step-log.js';
import type { BatchShape } from '../../src/model/operations.js';
import { SPREAD_SHARES } from '../../src/roofline/hardware/families.js';
import { fromCalibration, type Hardware } from '../../src/roofline/hardware/hardware.js';
import { Predictor } from '../../src/roofline/predict/predictor.js';
import { factorAt, meanOf, PredictedPrice } from '../../src/simulator/price/predicted.js';
import { calibration as CALIBRATION } from '../roofline/calibration.js';
import { preset } from '../roofline/models.js';

const machine = fromCalibration(CALIBRATION);
const predictorOn = (hardware: Hardware): Predictor => new Predictor(preset('tinyllama-1.1b'), hardware);
const rows = (count: number, context: number): BatchShape => ({
  sequences: Array.from({ length: count }, () => ({ newTokens: 1, context })),
  logitRows: count,
});
const withPrompt = (count: number, context: number, begin: number, tokens: number): BatchShape => ({
  sequences: [...rows(count, context).sequences, { newTokens: tokens, context: begin, prefill: true }],
  logitRows: count + 1,
});

describe('the log of an engine’s steps', () => {
  it('keeps what a step is priced by', () => {
    const log = new StepLog();
    log.observe(withPrompt(2, 9, 64, 32), 3.14159);
    const steps = log.record();
    expect(steps).toEqual({
      ...{ seen: 1, every: 1, ms: [3.142], rows: [2], keys: [20], logit_rows: [3], prompts: [[64, 96]] },
    });
    expect(shapeOfStep(steps, 0)).toEqual(withPrompt(2, 9, 64, 32));
  });

  it('is an even sample of bounded size, however many steps there are', () => {
    const log = new StepLog(8);
    for (let step = 0; step < 1000; step++) log.observe(rows(1, step), step);
    const { seen, every, ms } = log.record();
    expect(seen).toBe(1000);
    expect(every).toBe(128);
    expect(ms).toEqual([0, 128, 256, 384, 512, 640, 768, 896]);
    log.clear();
    expect(log.record()).toMatchObject({ seen: 0, every: 1, ms: [] });
  });
});

describe('costs of steps while serving', () => {
  const bare = predictorOn(withoutHost(machine));
  /** Steps that take what is known of them, scattered evenly between 0.8 and 1.2 of it. */
  const served = () => {
    const log = new StepLog(1000);
    for (let at = 0; at < 200; at++) {
      const count = 1 + (at % 8);
      const context = 40 * (at % 11);
      const decodes = at % 3 > 0;
      const shape = decodes ? rows(count, context) : withPrompt(count, context, 0, 16 + 32 * (at % 5));
      const factor = 0.8 + (0.4 * ((at * 37) % 100)) / 99;
      const device = bare.deviceSeconds(shape);
      const seconds = decodes
        ? 1.5 * device + 0.002 + 0.0004 * shape.logitRows
        : 1.9 * device + 0.002 + 0.0004 * shape.logitRows;
      log.observe(shape, 1000 * factor * seconds);
    }
    return log.record();
  };

  it('are found again, of rows alone and of prompts, with how steps scatter', () => {
    const { serving, counts } = fitServing([{ predictor: bare, steps: [served()] }]);
    expect(counts).toEqual({ decode: 133, prompts: 67 });
    const predictor = predictorOn({ ...machine, host: { ...machine.host!, serving } });
    const shapes: readonly (readonly [BatchShape, number, number, number])[] = [
      [rows(4, 200), 1.5, 0.002, 0.0004],
      [withPrompt(3, 100, 0, 100), 1.9, 0.002, 0.0004],
    ];
    for (const [shape, stretch, seconds, rowSeconds] of shapes) {
      const truth = stretch * bare.deviceSeconds(shape) + seconds + rowSeconds * shape.logitRows;
      const kind = shape.sequences.some(({ prefill }) => prefill) ? 'prompts' : 'decode';
      // The fit leans to the lower edge of the scatter; the mean of the factors makes up for it.
      const mean = predictor.stepSeconds(shape) * meanOf(serving[kind]!.spread);
      expect(Math.abs(mean / truth - 1)).toBeLessThan(0.04);
    }
    const { spread } = serving.decode!;
    expect(spread).toHaveLength(SPREAD_SHARES.length);
    expect(spread[spread.length - 1] / spread[0]).toBeCloseTo(1.5, 1);
  });

  it('are left out where there are too few steps of a kind', () => {
    const log = new StepLog();
    for (let at = 0; at < 50; at++) log.observe(rows(1 + (at % 4), at), 5);
    log.observe(withPrompt(1, 5, 0, 64), 50);
    expect(fitServing([{ predictor: bare, steps: [log.record()] }]).counts).toEqual({ decode: 50 });
  });

  it('make a simulated step scatter as recorded ones did, and the same step always alike', () => {
    const spread = SPREAD_SHARES.map((share) => 0.5 + share);
    const costs = { stretch: 2, seconds: 0.001, rowSeconds: 0, spread };
    const price = new PredictedPrice(
      predictorOn({ ...machine, host: { ...machine.host!, serving: { decode: costs } } }),
    );
    const load = (decodeKeys: number) => ({ decodeRows: 2, decodeKeys, prompts: [], logitRows: 2 });
    const factors = Array.from({ length: 400 }, (_, at) => {
      return price.seconds(load(100 + at)) / (2 * bare.deviceSeconds(rows(2, (100 + at) / 2 - 1)) + 0.001);
    });
    expect(price.seconds(load(300))).toBe(price.seconds(load(300)));
    const mean = factors.reduce((sum, each) => sum + each, 0) / factors.length;
    expect(mean).toBeCloseTo(1, 1);
    expect(Math.min(...factors)).toBeLessThan(0.52);
    expect(Math.max(...factors)).toBeGreaterThan(1.48);
    expect(price.expected(load(100))).toBeCloseTo(2 * bare.deviceSeconds(rows(2, 49)) + 0.001, 9);
  });
});

describe('factors by which steps scatter', () => {
  it('lie on lines between the quantiles', () => {
    const spread = SPREAD_SHARES.map((share) => 1 + 2 * share);
    expect(factorAt(spread, 0)).toBe(1);
    expect(factorAt(spread, 0.55)).toBeCloseTo(2.1, 12);
    expect(factorAt(spread, 0.9999)).toBeCloseTo(2.9998, 12);
    expect(meanOf(spread)).toBeCloseTo(2, 12);
  });
});
