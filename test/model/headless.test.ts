import { describe, expect, it } from 'vitest';
import type { Checkpoint, TensorInfo } from '../../src/checkpoint/checkpoint.js';
import { parseConfig } from '../../src/model/config.js';
import { poolingOfModel, settledHead, underFullNames } from '../../src/model/headless.js';

const SIZES = {
  ...{ hidden_size: 24, intermediate_size: 44, num_attention_heads: 4, num_key_value_heads: 2 },
  ...{ num_hidden_layers: 2, vocab_size: 61 },
};

/** A checkpoint of these names that tells which it was asked for. */
function checkpointOf(...names: string[]): Checkpoint & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    tensors: new Map(names.map((name) => [name, { name } as TensorInfo])),
    totalBytes: 1,
    require: (name) => (asked.push(name), { name } as never),
    readRange: (name) => Promise.resolve(void asked.push(name)),
    quantsOf: (name) => Promise.resolve(void asked.push(name)),
    close: () => Promise.resolve(),
  };
}

const BARE = ['embed_tokens.weight', 'layers.0.mlp.up_proj.weight', 'norm.weight'];
const FULL = BARE.map((name) => `model.${name}`);
const HEAD = 'lm_head.weight';

describe('tensors of a model that was saved without a head', () => {
  it('go by the names that they have in one with a head, and are asked for by their own', async () => {
    const stored = checkpointOf(...BARE, HEAD);
    const named = underFullNames(stored);
    expect([...named.tensors.keys()]).toEqual([...FULL, HEAD]);
    named.require(FULL[1], []);
    await named.readRange(FULL[2], 0, new Uint8Array());
    await named.quantsOf(HEAD);
    // One that is missing is told of as it would be stored.
    named.require('model.layers.1.mlp.up_proj.weight', []);
    expect(stored.asked).toEqual([BARE[1], BARE[2], HEAD, 'layers.1.mlp.up_proj.weight']);
  });

  it('are left alone where they have those names, and none is lost that is there twice', () => {
    const stored = checkpointOf(...FULL, HEAD);
    expect(underFullNames(stored)).toBe(stored);
    const twice = underFullNames(checkpointOf(...BARE, FULL[2]));
    expect([...twice.tensors.keys()].sort()).toEqual([FULL[0], FULL[1], BARE[2], FULL[2]].sort());
  });
});

describe('whether a model has a head', () => {
  const given = (json: object) => parseConfig({ ...SIZES, architectures: ['LlamaForCausalLM'], ...json });
  it.each(['LlamaModel', 'MistralModel', 'Qwen2Model', 'Qwen3Model'])('is said by the name %s', (name) => {
    const config = given({ architectures: [name] });
    expect(config).toMatchObject({ family: name.replace('Model', '').toLowerCase(), headless: true });
    expect(settledHead(config, checkpointOf(...FULL), undefined)).toEqual(config);
    expect(settledHead(config, checkpointOf(...FULL, HEAD), undefined).headless).toBeUndefined();
  });

  it('is said by the checkpoint where nothing else takes its place', () => {
    const pooling = { pooling: 'mean', normalize: false } as const;
    const written = given({});
    expect(settledHead(written, checkpointOf(...BARE), undefined).headless).toBe(true);
    expect(settledHead(written, checkpointOf(...FULL), pooling).headless).toBe(true);
    // One that should be there is missing, which is told of when the vocabulary is looked for.
    expect(settledHead(written, checkpointOf(...FULL), undefined)).toBe(written);
    expect(settledHead(written, checkpointOf(...FULL, HEAD), pooling)).toBe(written);
    const tied = given({ tie_word_embeddings: true });
    expect(settledHead(tied, checkpointOf(...BARE), pooling)).toBe(tied);
  });

  it('decides how rows are pooled only where no file does', () => {
    const [headless, written] = [given({ architectures: ['LlamaModel'] }), given({})];
    const mean = { pooling: 'mean', normalize: false } as const;
    expect(poolingOfModel(undefined, headless)).toEqual({ pooling: 'last', normalize: true });
    expect(poolingOfModel(mean, headless)).toBe(mean);
    expect(poolingOfModel({ unsupported: 'x' }, headless)).toEqual({ unsupported: 'x' });
    expect(poolingOfModel(undefined, written)).toBeUndefined();
  });
});
