import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/open.js';
import { parseConfig } from '../../src/model/config.js';
import { refuseLeftovers } from '../../src/model/leftovers.js';
import { settledConfig, storedVocabulary } from '../../src/model/matrices.js';
import { MemoryFolder, messageOf, safetensors, type TensorSpec } from '../checkpoint/support.js';
import { TINY, tinyTensors } from '../engine/support.js';

type Specs = Record<string, TensorSpec>;

function specs(): Specs {
  const all = Object.entries(tinyTensors()).map(([name, { shape, values }]): [string, TensorSpec] => {
    const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return [name, { dtype: 'F32', shape, data }];
  });
  return Object.fromEntries(all);
}

const vector = (fill: number): TensorSpec => ({ dtype: 'F16', shape: [24], data: new Uint8Array(48).fill(fill) });

async function judged(tensors: Specs, changes: object = {}): Promise<{ tied: boolean }> {
  const checkpoint = await openCheckpoint(new MemoryFolder({ 'model.safetensors': safetensors(tensors) }));
  const config = await settledConfig(parseConfig({ ...TINY, ...changes }), checkpoint);
  await refuseLeftovers(config, storedVocabulary(config, checkpoint), checkpoint);
  return { tied: config.tiedEmbeddings };
}

describe('tensors that the model has no place for', () => {
  const bias = 'model.layers.0.self_attn.q_proj.bias';

  it('are refused by name, with a reason', async () => {
    expect(await messageOf(() => judged({ ...specs(), [bias]: vector(1) }))).toBe(
      `${bias} is in the checkpoint, but not in the model; projections with a bias are not supported`,
    );
    expect(await messageOf(() => judged({ ...specs(), 'model.layers.1.self_attn.q_norm.weight': vector(1) }))).toMatch(
      /q_norm.weight is in the checkpoint, but not in the model; norms of queries and keys are not supported/,
    );
    expect(await messageOf(() => judged(specs(), { num_hidden_layers: 1 }))).toMatch(
      /^model\.layers\.1\..* and 5 more are in the checkpoint, but .*"num_hidden_layers" 1, and there is a layer 1;/,
    );
    expect(await messageOf(() => judged({ ...specs(), 'vision.patch.weight': vector(1) }))).toMatch(/^vision.patch/);
  });

  it('may stay where they are known to change nothing', async () => {
    const harmless = {
      [bias]: vector(0),
      'model.layers.0.self_attn.rotary_emb.inv_freq': vector(9),
      'model.rotary_emb.inv_freq': vector(9),
      'model.layers.1.self_attn.k_scale': vector(9),
    };
    expect(await judged({ ...specs(), ...harmless })).toEqual({ tied: false });
  });
});

describe('a tied flag', () => {
  it('holds where both matrices are equal, and not where they differ', async () => {
    const tensors = specs();
    expect(await judged(tensors, { tie_word_embeddings: true })).toEqual({ tied: false });
    const equal = { ...tensors, 'lm_head.weight': tensors['model.embed_tokens.weight'] };
    expect(await judged(equal, { tie_word_embeddings: true })).toEqual({ tied: true });
    const alone = { ...tensors };
    delete alone['lm_head.weight'];
    expect(await judged(alone, { tie_word_embeddings: true })).toEqual({ tied: true });
    expect(await judged(equal)).toEqual({ tied: false });
  });
});
