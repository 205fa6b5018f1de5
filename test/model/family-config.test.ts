import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/model/config.js';
import { FAMILY_NAMES } from '../../src/model/families/index.js';
import { modelMatrices, namedVocabulary } from '../../src/model/matrices.js';
import { operationShapes } from '../../src/model/operations.js';

const BASE = {
  ...{ hidden_size: 64, intermediate_size: 96, num_hidden_layers: 4, num_attention_heads: 8, vocab_size: 50 },
  ...{ max_position_embeddings: 512, num_key_value_heads: 4 },
};
const parse = (type: string, keys: Record<string, unknown> = {}) => parseConfig({ ...BASE, model_type: type, ...keys });
const windows = (type: string, keys: Record<string, unknown>): (number | undefined)[] =>
  operationShapes(parse(type, keys))
    .filter(({ kind }) => kind === 'attention')
    .map(({ window }) => window);

describe('families of models', () => {
  it('are told by architecture and model_type, which must agree', () => {
    expect(parse('mistral').family).toBe('mistral');
    expect(parseConfig({ ...BASE, architectures: ['Qwen2ForCausalLM'] }).family).toBe('qwen2');
    expect(parseConfig(BASE).family).toBe('llama');
    expect(() => parse('gemma2')).toThrow(
      'architecture "gemma2" is not supported; Ridgepoint runs LlamaForCausalLM, MistralForCausalLM, ' +
        'Qwen2ForCausalLM, Qwen3ForCausalLM',
    );
    expect(() => parse('llama', { architectures: ['Qwen3ForCausalLM'] })).toThrow(
      '"model_type" is "llama", which Qwen3ForCausalLM in "architectures" contradicts',
    );
  });

  it('have defaults of their own', () => {
    expect(parse('qwen3').headDim).toBe(128);
    expect(parse('qwen2').headDim).toBe(8);
    const rest: Record<string, unknown> = { ...BASE, num_attention_heads: 32, hidden_size: 256 };
    delete rest.num_key_value_heads;
    expect(parseConfig({ ...rest, model_type: 'mistral' }).kvHeads).toBe(8);
    expect(parseConfig({ ...rest, model_type: 'llama' }).kvHeads).toBe(32);
  });

  it('of Mistral have a window in all layers, in none, or where layer_types says', () => {
    expect(windows('mistral', { sliding_window: 100 })).toEqual([100, 100, 100, 100]);
    expect(windows('mistral', { sliding_window: null })).toEqual([undefined, undefined, undefined, undefined]);
    // Absent it is 4096, more than the model's positions.
    expect(windows('mistral', {})).toEqual([undefined, undefined, undefined, undefined]);
    expect(windows('mistral', { max_position_embeddings: 8192 })).toEqual([4096, 4096, 4096, 4096]);
    const layer_types = ['full_attention', 'sliding_attention', 'full_attention', 'full_attention'];
    expect(windows('mistral', { sliding_window: 100, layer_types })).toEqual([undefined, 100, undefined, undefined]);
    expect(() => parse('mistral', { sliding_window: null, layer_types })).toThrow('"sliding_window" must be a number');
    expect(() => parse('mistral', { layer_types: ['full_attention'] })).toThrow('for each of 4 layers');
    expect(() => parse('mistral', { sliding_window: -1 })).toThrow('"sliding_window" must be null or a positive');
  });

  it('of Qwen have one where use_sliding_window asks for it, from max_window_layers on', () => {
    for (const type of ['qwen2', 'qwen3']) {
      const keys = { sliding_window: 100, max_window_layers: 3 };
      expect(windows(type, keys)).toEqual([undefined, undefined, undefined, undefined]);
      expect(windows(type, { ...keys, use_sliding_window: true })).toEqual([undefined, undefined, undefined, 100]);
      expect(parse(type, { ...keys, use_sliding_window: false })).not.toHaveProperty('window');
    }
  });

  it('of other kinds do not take their keys', () => {
    expect(() => parse('llama', { sliding_window: 100 })).toThrow('changes what a Llama computes');
    expect(() => parse('qwen3', { attention_bias: true })).toThrow('projections with a bias are not supported');
    expect(parse('qwen2', { attention_bias: true }).family).toBe('qwen2');
  });

  it('name every tensor that they read', () => {
    for (const type of FAMILY_NAMES) {
      const config = parse(type);
      const tensors = modelMatrices(config, namedVocabulary(config)).flatMap(({ source }) => source.parts);
      expect(tensors.length).toBeGreaterThan(9 * config.layers);
      for (const { tensor } of tensors) expect(tensor, type).toMatch(/^[\w.]+\.(weight|bias)$/);
    }
  });

  it('add, norm and file within one launch only what it can see', () => {
    const rows = (type: string, name: string) => operationShapes(parse(type)).find((each) => each.part === name)!;
    expect(rows('qwen2', 'qkv')).toMatchObject({ files: true, vector: { constants: { bias: 64 }, length: 192 } });
    expect(rows('qwen2', 'rope_kv').rows).toBe('prompts');
    expect(rows('qwen3', 'qkv').files).toBeUndefined();
    expect(rows('qwen3', 'rope_kv')).toMatchObject({ rows: 'tokens', works: [{ work: 'norm' }] });
  });
});
