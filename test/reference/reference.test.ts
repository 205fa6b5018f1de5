import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/model/config.js';
import { maxAbsError, random, relativeError } from './compare.js';
import { float16, loadReferenceLlama, loadSafetensors, repositoryPath, sharedData } from './load.js';
import { ReferenceLlama } from './llama.js';
import { isFull } from '../support/scale.js';

const stories = sharedData('models/stories260K');

interface Expected {
  readonly prompt_ids: number[];
  readonly ids: number[];
  readonly logits_file: string;
}

describe('compare', () => {
  it('takes NaN and a different length for infinitely wrong', () => {
    expect(relativeError([3, 4], [3, 4])).toBe(0);
    expect(relativeError([3, 4.5], [3, 4])).toBeCloseTo(0.1, 12);
    expect(relativeError([NaN, 4], [3, 4])).toBe(Infinity);
    expect(relativeError([3, 4], [3, NaN])).toBe(Infinity);
    expect(relativeError([1], [0])).toBe(Infinity);
    expect(relativeError([3], [3, 4])).toBe(Infinity);
    expect(maxAbsError([1, -2], [1, 2])).toBe(4);
    expect(maxAbsError([1, NaN], [1, 2])).toBe(Infinity);
  });

  it('draws the same numbers from the same seed, with the moments they claim', () => {
    expect(random(7).normal(5)).toEqual(random(7).normal(5));
    expect(random(7).normal(5)).not.toEqual(random(8).normal(5));
    const normal = random(1).normal(20000, 2);
    const uniform = random(2).uniform(20000, 1, 3);
    const mean = (x: Float64Array): number => x.reduce((sum, value) => sum + value, 0) / x.length;
    expect(Math.abs(mean(normal))).toBeLessThan(0.05);
    expect(Math.sqrt(mean(normal.map((x) => x * x)))).toBeCloseTo(2, 1);
    expect(mean(uniform)).toBeCloseTo(2, 1);
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...uniform)).toBeLessThan(3);
  });
});

describe('safetensors for tests', () => {
  it('reads binary16', () => {
    expect([0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400, 0x8000].map(float16)).toEqual([
      1,
      -2,
      65504,
      2 ** -24,
      2 ** -14,
      -0,
    ]);
    expect(float16(0xfc00)).toBe(-Infinity);
    expect(float16(0x7e00)).toBeNaN();
  });

  it.skipIf(stories === undefined)(
    'reads F32, F16 and BF16 of the same model alike (skipped without ../shared/data)',
    () => {
      const f32 = loadSafetensors(`${stories}/model-f32.safetensors`);
      const f16 = loadSafetensors(`${stories}/model.safetensors`);
      const bf16 = loadSafetensors(`${stories}/model-bf16.safetensors`);
      expect(Object.keys(f16).sort()).toEqual(Object.keys(f32).sort());
      for (const [name, tensor] of Object.entries(f32)) {
        expect(relativeError(f16[name], tensor), name).toBeLessThan(2 ** -11); // half a unit in the 11th bit
        expect(relativeError(bf16[name], tensor), name).toBeLessThan(2 ** -8);
      }
    },
  );
});

describe('ReferenceLlama', () => {
  const config = parseConfig({
    hidden_size: 12,
    intermediate_size: 10,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 6,
    vocab_size: 11,
  });
  const rng = random(11);
  const shapes: Record<string, number> = {
    'model.embed_tokens.weight': 11 * 12,
    'model.norm.weight': 12,
    'lm_head.weight': 11 * 12,
  };
  for (const layer of [0, 1]) {
    const sizes = { q_proj: 24 * 12, k_proj: 12 * 12, v_proj: 12 * 12, o_proj: 12 * 24 };
    for (const [name, size] of Object.entries(sizes)) shapes[`model.layers.${layer}.self_attn.${name}.weight`] = size;
    for (const name of ['gate', 'up', 'down']) shapes[`model.layers.${layer}.mlp.${name}_proj.weight`] = 120;
    for (const name of ['input', 'post_attention']) shapes[`model.layers.${layer}.${name}_layernorm.weight`] = 12;
  }
  const weights = Object.fromEntries(Object.entries(shapes).map(([name, size]) => [name, rng.normal(size, 0.5)]));

  it('gives the same logits in one pass, in chunks, token by token, and after a rewind', () => {
    const ids = [3, 1, 4, 1, 5, 9, 2, 6];
    const whole = new ReferenceLlama(config, weights).forward(ids);
    const model = new ReferenceLlama(config, weights);
    const parts = [
      ...model.forward(ids.slice(0, 5)),
      ...model.forward([7, 7, 7], 5),
      ...model.forward(ids.slice(5), 5),
    ];
    parts.splice(5, 3); // the three tokens that the last call overwrote
    const single = ids.flatMap((id, position) => model.forward([id], position));
    whole.forEach((row, i) => {
      expect(relativeError(parts[i], row)).toBeLessThan(1e-14);
      expect(relativeError(single[i], row)).toBeLessThan(1e-14);
    });
    expect(() => new ReferenceLlama(config, weights).forward([1], 4)).toThrow('position 0 was never run');
  });

  it('lets either embedding stand for both where they are tied', () => {
    const { 'lm_head.weight': head, 'model.embed_tokens.weight': embedding, ...rest } = weights;
    const tied = { ...config, tiedEmbeddings: true };
    const both = { ...rest, 'lm_head.weight': head, 'model.embed_tokens.weight': head };
    const expected = new ReferenceLlama(config, both).forward([1, 2]);
    expect(new ReferenceLlama(tied, { ...rest, 'lm_head.weight': head }).forward([1, 2])).toEqual(expected);
    expect(new ReferenceLlama(tied, { ...rest, 'model.embed_tokens.weight': head }).forward([1, 2])).toEqual(expected);
    expect(() => new ReferenceLlama(config, { ...rest, 'lm_head.weight': embedding }).forward([1])).toThrow(
      'lack model.embed_tokens.weight',
    );
  });

  it.skipIf(stories === undefined).each(['empty', 'lily', 'long', 'once'])(
    'matches llama2.c on stories260K, prompt %s (skipped without ../shared/data)',
    (name) => {
      const read = (file: string): Buffer => readFileSync(`${stories}/expected/${file}`);
      const expected = JSON.parse(read(`stories260K_${name}.json`).toString()) as Expected;
      const file = read(expected.logits_file);
      const logits = new Float32Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength));
      const model = loadReferenceLlama(stories!, 'model-f32.safetensors');
      const rows = model.forward(expected.ids.slice(0, 16));
      // run.c adds up in float32: dot products of at most 172 terms through five layers cost a few units of 2^-24 each.
      rows.forEach((row, i) => expect(relativeError(logits.subarray(i * 512, (i + 1) * 512), row)).toBeLessThan(1e-5));
      const { prompt_ids: prompt, ids } = expected;
      expect([...prompt, ...model.greedy(prompt, ids.length - prompt.length)]).toEqual(ids);
    },
  );

  it.runIf(isFull)('tells a story with the embedded model', () => {
    const model = loadReferenceLlama(repositoryPath('models/tiny-tales'));
    const ids = model.greedy([1], 40);
    expect(ids.every((id) => id > 2 && id < model.config.vocab)).toBe(true);
    const chunked = model.forward([1, ...ids]);
    expect(chunked.map((row) => row.indexOf(Math.max(...row))).slice(0, 40)).toEqual(ids);
  });
});
