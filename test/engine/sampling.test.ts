import { describe, expect, it } from 'vitest';
import { parseGenerationConfig } from '../../src/engine/generation-config.js';
import { checkGenerateOptions, resolveSampling } from '../../src/engine/options/sampling.js';
import { initialTokenState, needsTokenState } from '../../src/engine/sampling.js';
import type { GenerateOptions, SamplingOptions } from '../../src/engine/api.js';
import { refusal } from './support.js';

const resolve = (options: SamplingOptions = {}, defaults: SamplingOptions = {}) =>
  resolveSampling(options, defaults, 100, () => 77);

describe('resolveSampling', () => {
  it('spells out every neutral value', () => {
    expect(resolve()).toEqual({
      temperature: 0,
      topK: 0,
      topP: 1,
      minP: 0,
      repetitionPenalty: 1,
      presencePenalty: 0,
      frequencyPenalty: 0,
      logitBias: {},
      seed: 77,
    });
  });

  it('takes the call before the model, and the model before neutral', () => {
    const defaults = { temperature: 0.7, topK: 40, seed: 5, logitBias: { 1: 2 } };
    expect(resolve({ topK: 0, temperature: undefined }, defaults)).toMatchObject({
      temperature: 0.7,
      topK: 0,
      seed: 5,
    });
    expect(resolve({ seed: 0, logitBias: {} }, defaults)).toMatchObject({ seed: 0, logitBias: {} });
    expect(resolve({}, { topP: undefined }).topP).toBe(1);
  });

  it('is greedy at a temperature too small to divide by', () => {
    expect(resolve({ temperature: 1e-5 }).temperature).toBe(0);
    expect(resolve({ temperature: 1e-3 }).temperature).toBe(1e-3);
  });

  const wrong: [SamplingOptions, string][] = [
    [{ temperature: -0.1 }, 'temperature must be a number from 0 to 100, found -0.1'],
    [{ temperature: NaN }, 'temperature must be a number from 0 to 100, found NaN'],
    [{ temperature: '1' as unknown as number }, 'temperature must be a number from 0 to 100, found "1"'],
    [{ topK: 1.5 }, 'topK must be a whole number from 0 to 4294967295, found 1.5'],
    [{ topK: -1 }, 'topK must be a whole number from 0 to 4294967295, found -1'],
    [{ topP: 0 }, 'topP must be a number above 0 and up to 1, found 0'],
    [{ topP: 1.01 }, 'topP must be a number above 0 and up to 1, found 1.01'],
    [{ minP: 2 }, 'minP must be a number from 0 to 1, found 2'],
    [{ repetitionPenalty: 0 }, 'repetitionPenalty must be a number above 0 and up to 100, found 0'],
    [{ presencePenalty: -101 }, 'presencePenalty must be a number from -100 to 100, found -101'],
    [{ frequencyPenalty: Infinity }, 'frequencyPenalty must be a number from -100 to 100, found Infinity'],
    [{ seed: 2 ** 32 }, 'seed must be a whole number from 0 to 4294967295, found 4294967296'],
    [{ seed: 0.5 }, 'seed must be a whole number from 0 to 4294967295, found 0.5'],
    [{ logitBias: { 100: 1 } }, 'logitBias names token 100, but the vocabulary has ids 0 to 99'],
    [{ logitBias: { x: 1 } as Record<number, number> }, 'logitBias names token x, but the vocabulary has ids 0 to 99'],
    [{ logitBias: { 3: NaN } }, 'logitBias of token 3 must be a number, found NaN'],
  ];
  it.each(wrong)('refuses %o', async (options, message) => {
    expect(await refusal('usage', () => resolve(options))).toBe(message);
  });
});

describe('checkGenerateOptions', () => {
  const wrong: [GenerateOptions, RegExp][] = [
    [{ maxTokens: 0 }, /^maxTokens must be a whole number of at least 1, found 0/],
    [{ maxTokens: 1.5 }, /^maxTokens/],
    [{ logprobs: -1 }, /^logprobs must be a whole number of at least 0, found -1/],
    [{ logprobs: 101 }, /^logprobs must be at most 100, the size of the vocabulary, found 101/],
    [{ stop: ['a', ''] }, /^stop must be a list of strings, none of them empty, found \["a",""\]/],
    [{ stopIds: [1, 100] }, /^stopIds names token 100, but the vocabulary has ids 0 to 99/],
    [{ stopIds: 5 as unknown as number[] }, /^stopIds must be a list/],
    [{ stop: 'ab' as unknown as string[] }, /^stop must be a list of strings/],
  ];
  it.each(wrong)('refuses %o', async (options, message) => {
    expect(await refusal('usage', () => checkGenerateOptions(options, 100))).toMatch(message);
  });

  it('takes what is in range', () => {
    const check = (options: GenerateOptions) => () => checkGenerateOptions(options, 100);
    expect(check({ maxTokens: 1, logprobs: 100, stop: ['x'] })).not.toThrow();
    expect(check({})).not.toThrow();
  });
});

describe('parseGenerationConfig', () => {
  it('samples only when told to', () => {
    const config = { temperature: 0.6, top_p: 0.9, top_k: 50, min_p: 0.1, repetition_penalty: 1.1 };
    expect(parseGenerationConfig(config).sampling).toMatchObject({
      temperature: 0,
      topP: undefined,
      topK: undefined,
      minP: undefined,
      repetitionPenalty: 1.1,
    });
    expect(parseGenerationConfig({ ...config, do_sample: true }).sampling).toMatchObject({
      temperature: 0.6,
      topP: 0.9,
      topK: 50,
      minP: 0.1,
    });
    expect(parseGenerationConfig({ do_sample: true }).sampling.temperature).toBe(1);
    expect(parseGenerationConfig({ do_sample: true, top_p: 0 }).sampling.topP).toBeUndefined();
  });

  it('reads lengths, and tells of stop ids that are none', () => {
    expect(parseGenerationConfig({ eos_token_id: 2 }).notices).toEqual([]);
    expect(parseGenerationConfig({ eos_token_id: [128001, 128009] }).notices).toEqual([]);
    expect(parseGenerationConfig({ eos_token_id: [128001, 'x', -1] }).notices).toEqual([
      'generation_config.json: ignored, where it is no id of a token: "eos_token_id" [128001,"x",-1]',
    ]);
    const { maxNewTokens, maxLength } = parseGenerationConfig({ max_new_tokens: 30, max_length: 256 });
    expect([maxNewTokens, maxLength]).toEqual([30, 256]);
  });

  it('makes nothing of what is absent or no number', () => {
    for (const json of [
      undefined,
      null,
      3,
      'x',
      {},
      { eos_token_id: null, temperature: 'hot', max_new_tokens: null },
    ]) {
      const { sampling, maxNewTokens } = parseGenerationConfig(json);
      expect(maxNewTokens).toBeUndefined();
      expect(resolve({}, sampling)).toEqual(resolve());
    }
    // A length that no generation can have must not become one.
    expect(parseGenerationConfig({ max_new_tokens: 0, max_length: -1 })).toMatchObject({
      maxNewTokens: undefined,
      maxLength: undefined,
    });
  });
});

describe('the sampler state', () => {
  it('is used only by penalties and biases', () => {
    expect(needsTokenState(resolve({ temperature: 1, topK: 3, topP: 0.5, minP: 0.1 }))).toBe(false);
    for (const options of [
      { repetitionPenalty: 1.1 },
      { presencePenalty: 0.1 },
      { frequencyPenalty: -1 },
      { logitBias: { 0: 1 } },
    ]) {
      expect(needsTokenState(resolve(options))).toBe(true);
    }
  });

  it('marks prompt tokens and holds biases, infinities tamed', () => {
    const words = initialTokenState([1, 3, 3], { 0: -Infinity, 2: 1.5, 3: Infinity }, 4);
    const biases = new Float32Array(words.buffer);
    expect([...words].filter((_, i) => i % 2 === 0)).toEqual([0, 0x80000000, 0, 0x80000000]);
    expect([...biases].filter((_, i) => i % 2 === 1)).toEqual([Math.fround(-1e30), 0, 1.5, Math.fround(1e30)]);
  });

  it('turns a negative top_k off and tells of other values out of range by the file’s name', () => {
    const of = (values: object): ReturnType<typeof parseGenerationConfig> =>
      parseGenerationConfig({ do_sample: true, ...values });
    expect(of({ top_k: -1 })).toMatchObject({ sampling: { topK: 0 }, notices: [] });
    for (const [key, value, name] of [
      ['top_p', 0, 'topP'],
      ['top_p', 2, 'topP'],
      ['min_p', -1, 'minP'],
      ['temperature', -1, 'temperature'],
      ['repetition_penalty', 0, 'repetitionPenalty'],
      ['top_k', 1.5, 'topK'],
    ] as const) {
      // prettier-ignore
      const { sampling, notices } = of({ [key]: value });
      expect(sampling[name]).toBe(name === 'temperature' ? 1 : undefined);
      expect(notices).toHaveLength(1);
      expect(notices[0]).toMatch(`generation_config.json: ignored, as it is out of range: "${key}" ${value}`);
      expect(() => resolveSampling({}, sampling, 100, () => 0)).not.toThrow();
    }
  });

  it.each([
    ['temperature', '0.7', 'as it is no number: "temperature" "0.7"'],
    ['top_k', [50], 'as it is no number: "top_k" [50]'],
    ['top_p', true, 'as it is no number: "top_p" true'],
    ['max_new_tokens', -1, 'as it is out of range: "max_new_tokens" -1, must be a whole number of at least 1'],
    ['max_length', 20.5, 'as it is out of range: "max_length" 20.5'],
    ['eos_token_id', [2, 'x'], 'where it is no id of a token: "eos_token_id" [2,"x"]'],
    ['no_repeat_ngram_size', 3, 'as it is not supported: "no_repeat_ngram_size" 3'],
    ['num_beams', 4, 'as it is not supported: "num_beams" 4'],
    ['suppress_tokens', [5], 'as it is not supported: "suppress_tokens" [5]'],
    ['typical_p', 0.9, 'as it is not supported: "typical_p" 0.9'],
  ])('tells of %s %j, which it cannot follow', (key, value, message) => {
    const { notices } = parseGenerationConfig({ do_sample: true, [key]: value });
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatch(`generation_config.json: ignored, ${message}`);
  });

  it('tells of a file that holds something else', () => {
    expect(parseGenerationConfig([1]).notices).toEqual(['generation_config.json: ignored, as it holds no JSON object']);
  });

  it('tells of no setting that is off', () => {
    const off = { do_sample: false, num_beams: 1, no_repeat_ngram_size: 0, typical_p: 0.9, bad_words_ids: null, suppress_tokens: [], top_p: 'x', early_stopping: false, length_penalty: 1, _from_model_config: true, transformers_version: '4.40.0' }; // prettier-ignore
    expect(parseGenerationConfig(off).notices).toEqual([]);
    expect(parseGenerationConfig({ do_sample: 'yes' }).notices[0]).toMatch('neither true nor false: "do_sample" "yes"');
  });
});
