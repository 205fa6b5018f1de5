import { expect, test } from 'vitest';
import { hardwareById } from '../../src/roofline/hardware/catalogue.js';
import { costsOf, engineById, type EngineProfile } from '../../src/roofline/hardware/engines.js';
import { Predictor } from '../../src/roofline/predict/predictor.js';
import { preset } from './models.js';

const on = (id: string, options: object = {}, model = 'llama-3.1-8b') =>
  new Predictor(preset(model), hardwareById(id), { engine: 'llama.cpp', ...options });
const none = engineById('none');
const h100 = (engine: EngineProfile, model = 'llama-3.1-8b') => on('h100', { engine }, model);

test('costs of a class give way to those of a device', () => {
  const engine: EngineProfile = {
    ...none,
    ofClass: { nvidia: { promptChunk: 8, scoreBytes: 2 } },
    on: { 'h100-sxm': { promptChunk: 16 } },
  };
  const costs = (id: string) => costsOf(engine, hardwareById(id));
  expect([costs('h100').promptChunk, costs('h100').scoreBytes]).toEqual([16, 2]);
  expect([costs('h200').promptChunk, costs('mi300x').promptChunk]).toEqual([8, undefined]);
});

test('a prompt goes through in steps of 512 tokens, unless the caller says otherwise', () => {
  const sizes = (options: object) =>
    on('rtx-4090', options)
      .prefillSteps(1200)
      .map(({ sequences }) => sequences[0].newTokens);
  expect(sizes({})).toEqual([512, 512, 176]);
  expect(sizes({ prefillChunk: 1000 })).toEqual([1000, 200]);
  expect(on('h100', { engine: 'vllm' }).prefillSteps(1200)).toHaveLength(1);
});

test('scores of prompts go through memory, so many bytes for each query, key and head', () => {
  const attention = (engine: EngineProfile, context: number) => {
    const predictor = h100(engine);
    const step = { sequences: [{ newTokens: 512, context, prefill: true as const }], logitRows: 1 };
    const { operation } = predictor.parts(step).find((part) => part.operation.kind === 'attention')!;
    return predictor.pricer.price(operation).memorySeconds;
  };
  const more = (context: number) =>
    attention({ ...none, scoreBytes: 24 }, context) - attention({ ...none, scoreBytes: 0 }, context);
  const { bandwidth } = hardwareById('h100');
  const share = h100(none).pricer.efficiencies.values['attention-prefill'].bandwidth;
  const pairs = 512 * 4096 + (512 * 513) / 2;
  expect(more(4096)).toBeCloseTo((24 * 32 * pairs) / (bandwidth * share), 9);
});

test('attention of tokens computes at a rate that no larger card has more of', () => {
  const grows = (engine: EngineProfile, model?: string) => {
    const predictor = h100(engine, model);
    return predictor.decodeSeconds(8192, 1) - predictor.decodeSeconds(4096, 1);
  };
  // 4 FLOPs for each of 32 heads of 128 numbers, in 32 layers.
  const seconds = (4096 * 4 * 32 * 128 * 32) / 1e12;
  const slow = { ...none, decodeAttentionFlops: 1e12 };
  expect(grows(slow) / seconds).toBeGreaterThan(0.98);
  expect(grows(slow) / seconds).toBeLessThan(1.05);
  // As many heads with keys and values of their own: more to read, no more to compute.
  expect(grows(slow, 'llama-2-7b') / grows(slow)).toBeLessThan(1.3);
  expect(grows(none, 'llama-2-7b') / grows(none)).toBeGreaterThan(3);
});

test('few rows stream no more bytes a second than the kernel can, and prompts are not held by that', () => {
  const capped = h100({ ...none, fewRowsBytes: 1e12 });
  const token = capped.decodeSeconds(1, 1);
  expect(token).toBeGreaterThan(0.015); // 15 GB of weights
  expect(token).toBeLessThan(0.019);
  expect(capped.prefillSeconds(512)).toBe(h100(none).prefillSeconds(512));
});

test('sums in f16 are those of GeForce cards, which have a rate for them', () => {
  expect(on('rtx-4090').pricer.peak.rate).toBe(330.3e12);
  expect(on('rtx-a6000').pricer.peak).toMatchObject({ rate: 154.8e12, fallback: false });
  expect(on('rtx-4090', { compute: 'f16' }).pricer.peak.rate).toBe(165.2e12);
});

test('a context costs more where there are more query heads, on Apple in proportion', () => {
  const grows = (model: string) => {
    const predictor = on('apple-m2-ultra', { weights: 'int4' }, model);
    return predictor.decodeSeconds(8192, 1) - predictor.decodeSeconds(4096, 1);
  };
  // 64 heads in 80 layers for 32 in 32, with as many keys and values a layer.
  const ratio = grows('llama-3.1-70b') / grows('llama-3.1-8b');
  expect(ratio).toBeGreaterThan(4);
  expect(ratio).toBeLessThan(5);
});
