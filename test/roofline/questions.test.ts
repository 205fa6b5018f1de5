import { describe, expect, test } from 'vitest';
import { BLOOM_176B } from '../../src/roofline/models/bloom.js';
import { CATALOGUE, hardwareById } from '../../src/roofline/hardware/catalogue.js';
import { Predictor } from '../../src/roofline/predict/predictor.js';
import { batchThroughput } from '../../src/roofline/questions/batch.js';
import { crossover } from '../../src/roofline/questions/crossover.js';
import { quantization } from '../../src/roofline/questions/quantization.js';
import { sensitivity } from '../../src/roofline/questions/sensitivity.js';
import { sla } from '../../src/roofline/questions/sla.js';
import { preset } from './models.js';

const h100 = hardwareById('h100-sxm');
const llama = preset('llama-3.1-8b');
const request = { promptTokens: 2048, outputTokens: 64 };

describe('sla', () => {
  const limits = { ttftSeconds: 0.2, itlSeconds: 0.05 };
  const rows = sla(llama, CATALOGUE, { promptTokens: 4096, outputTokens: 64 }, limits);
  const row = (id: string) => rows.find(({ hardware }) => hardware === id)!;

  test('passes what is within both limits and fits', () => {
    expect(row('h100-sxm')).toMatchObject({ pass: true, failures: [] });
    expect(row('h200').pass).toBe(true);
  });

  test('says what is missed, and how many chips would hold the model', () => {
    expect(row('t4')).toMatchObject({ pass: false, failures: ['TTFT', 'ITL', 'memory'], chipsToFit: 2 });
    expect(row('a100-80').failures).toEqual(['TTFT']);
  });
});

describe('crossover', () => {
  const predictor = new Predictor(llama, h100);

  test('is the first prompt whose prefill takes as long as the decode', () => {
    const { promptTokens } = crossover(predictor, 256, [1, 131_072]);
    const ratio = (prompt: number) => predictor.prefillSeconds(prompt) / predictor.decodeSeconds(prompt, 256);
    expect(ratio(promptTokens!)).toBeGreaterThanOrEqual(1);
    expect(ratio(promptTokens! - 1)).toBeLessThan(1);
    expect(promptTokens).toBeGreaterThan(32_768); // the tutorial looks for it up to there, in vain
  });

  test('is never, where it is not in range', () => {
    const found = crossover(predictor, 256, [128, 32_768]);
    expect(found.promptTokens).toBeUndefined();
    expect(found.shareAtLongest).toBeLessThan(1);
  });

  test('is the shortest prompt, where prefill is longer throughout', () => {
    expect(crossover(predictor, 1, [2048, 4096]).promptTokens).toBe(2048);
  });
});

describe('quantization', () => {
  const rows = quantization(llama, h100, request);
  const row = (name: string) => rows.find((each) => each.name === name)!;

  test('weight-only formats quicken decode and hardly prefill; 8-bit products quicken prefill', () => {
    expect(row('W8A16').ttftSpeedup).toBeLessThan(1.1);
    expect(row('W4A16').ttftSpeedup).toBeLessThan(1.1);
    expect(row('W8A8').ttftSpeedup).toBeGreaterThan(1.6);
    // Weights that are widened cost something; those in the format of the products do not.
    expect(row('W8A16').tpotSpeedup).toBeLessThan(row('W8A8').tpotSpeedup!);
    expect(row('W8A16').tpotSpeedup).toBeGreaterThan(1.4);
    expect(row('W4A16').tpotSpeedup).toBeGreaterThan(row('W8A16').tpotSpeedup!);
  });

  test('a format without a rate gains nothing in prefill', () => {
    const a100 = quantization(llama, hardwareById('a100-80'), request).find(({ name }) => name === 'fp8')!;
    expect(a100.roof).toMatchObject({ name: 'tensor f16', fallback: true });
    expect(a100.ttftSpeedup).toBeLessThan(1.1);
  });
});

test('sensitivity: prefill follows cores, decode follows bandwidth', () => {
  const factors = { bandwidth: [0.6, 1], cores: [0.5, 1] };
  const options = { tensorParallel: 8 };
  const [slow, same, few] = sensitivity(
    BLOOM_176B,
    h100,
    { promptTokens: 1024, outputTokens: 2, batch: 2 },
    options,
    factors,
  );
  expect(same).toMatchObject({ ttftChange: 0, tpotChange: 0 });
  expect(slow.tpotChange).toBeGreaterThan(slow.ttftChange);
  expect(few.ttftChange).toBeGreaterThan(0.5);
  expect(few.tpotChange).toBeLessThan(0.01);
});

describe('throughput against the batch', () => {
  const predictor = new Predictor(llama, h100);
  const { rows, weightKnee, knee, largestFit } = batchThroughput(predictor, 128, [1, 8, 64, 512]);

  test('stays below both ceilings and grows', () => {
    rows.forEach((row, i) => {
      expect(row.tokensPerSecond).toBeLessThan(Math.min(row.bandwidthLine, row.computeCeiling));
      if (i > 0) expect(row.tokensPerSecond).toBeGreaterThan(rows[i - 1].tokensPerSecond);
    });
  });

  test('has its knee for f16 weights at the ridge, and later once the cache is counted', () => {
    expect(weightKnee).toBeCloseTo(989.4e12 / 3350e9, 0);
    expect(knee!).toBeGreaterThan(weightKnee);
    const at = batchThroughput(predictor, 128, [Math.round(knee!)]).rows[0];
    expect(at.bandwidthLine / at.computeCeiling).toBeCloseTo(1, 2);
  });

  test('knows what memory holds', () => {
    const last = batchThroughput(predictor, 128, [largestFit!, largestFit! + 1]).rows;
    expect(last.map(({ fits }) => fits)).toEqual([true, false]);
  });

  test('has no knee where the cache asks for more than it brings', () => {
    expect(batchThroughput(new Predictor(preset('llama-2-7b'), h100), 4096, [1]).knee).toBeUndefined();
  });
});
