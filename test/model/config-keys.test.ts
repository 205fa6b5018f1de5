import { describe, expect, it } from 'vitest';
import { packedFormat } from '../../src/checkpoint/quantization-config.js';
import { parseConfig } from '../../src/model/config.js';

const PLAIN = {
  architectures: ['LlamaForCausalLM'],
  hidden_size: 128,
  intermediate_size: 256,
  num_attention_heads: 4,
  num_hidden_layers: 2,
  vocab_size: 100,
  max_position_embeddings: 2048,
};
const parse = (extra: object): ReturnType<typeof parseConfig> => parseConfig({ ...PLAIN, ...extra });

describe('rotary embeddings of config.json', () => {
  const llama3 = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 512 }; // prettier-ignore
  const scaled = { type: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 512 };

  it.each<[string, object, number, object]>([
    ['nothing', {}, 10000, { type: 'none' }],
    ['the base alone', { rope_theta: 500000 }, 500000, { type: 'none' }],
    ['rope_parameters without the base, which the top level has', { rope_theta: 500000, rope_parameters: llama3 }, 500000, scaled], // prettier-ignore
    ['the base in rope_parameters', { rope_parameters: { rope_theta: 5e5, rope_type: 'default' } }, 5e5, { type: 'none' }], // prettier-ignore
    ['the base in rope_scaling', { rope_scaling: { ...llama3, rope_theta: 5e5 } }, 5e5, scaled],
    ['the base in both places', { rope_theta: 5e5, rope_scaling: { ...llama3, rope_theta: 5e5 } }, 5e5, scaled],
    ['both objects', { rope_parameters: { ...llama3, rope_theta: 5e5 }, rope_scaling: llama3 }, 5e5, scaled],
    ['the older name of the type', { rope_scaling: { type: 'linear', factor: 2 } }, 10000, { type: 'linear', factor: 2 }], // prettier-ignore
    ['null for nothing', { rope_scaling: null, rope_parameters: null, rope_theta: null }, 10000, { type: 'none' }],
  ])('%s', (_, extra, ropeTheta, ropeScaling) => {
    expect(parse(extra)).toMatchObject({ ropeTheta, ropeScaling });
  });

  it.each<[string, object, RegExp]>([
    ['two bases', { rope_theta: 1e4, rope_parameters: { rope_theta: 5e5 } }, /"rope_theta" is 10000, but 500000 in "rope_parameters"/], // prettier-ignore
    ['two types', { rope_scaling: { rope_type: 'linear', type: 'llama3', factor: 2 } }, /of type "linear" and "llama3" at once/], // prettier-ignore
    ['two factors', { rope_scaling: { type: 'linear', factor: 2 }, rope_parameters: { type: 'linear', factor: 4 } }, /differ in "factor"/], // prettier-ignore
    ['a type that is not known', { rope_scaling: { type: 'yarn', factor: 2 } }, /of type "yarn" is not supported/],
    ['dynamic', { rope_scaling: { type: 'dynamic', factor: 2 } }, /of type "dynamic" is not supported/],
    ['layers of their own', { rope_parameters: { full_attention: { rope_theta: 1 } } }, /layers that rotate differently/], // prettier-ignore
    ['a part of a head', { rope_parameters: { rope_theta: 1e4, partial_rotary_factor: 0.5 } }, /"partial_rotary_factor" 0.5/], // prettier-ignore
    ['a key of another type', { rope_scaling: { type: 'linear', factor: 2, beta_fast: 32 } }, /"beta_fast" 32 is not/],
    ['a factor without a type', { rope_scaling: { factor: 4 } }, /has a "factor" and no "rope_type"/],
    ['a base of words', { rope_theta: 'big' }, /"rope_theta" must be a positive number/],
    ['a list', { rope_scaling: [2] }, /"rope_scaling" must be an object/],
  ])('refuses %s', (_, extra, message) => {
    expect(() => parse(extra)).toThrow(message);
  });
});

describe('every key of config.json', () => {
  const refused: [string, unknown][] = [
    ...(['attention_bias', 'mlp_bias', 'qkv_bias', 'use_qk_norm', 'alibi'] as const).map((k): [string, unknown] => [k, true]),
    ...(['logits_scaling', 'logit_scale', 'embedding_multiplier', 'residual_multiplier', 'scale_emb'] as const).map((k): [string, unknown] => [k, 12]),
    ...(['partial_rotary_factor', 'rotary_pct', 'attention_multiplier'] as const).map((k): [string, unknown] => [k, 0.5]),
    ['sliding_window', 1024],
    ['layer_types', ['full_attention', 'sliding_attention']],
    ['no_rope_layers', [1, 1, 1, 0]],
    ['num_local_experts', 8],
    ['num_experts', 64],
    ['final_logit_softcapping', 30],
    ['attn_logit_softcapping', 50],
    ['query_pre_attn_scalar', 144],
    ['clip_qkv', 8],
    ['scale_depth', 1.4],
    ['rope_local_base_freq', 10000],
    ['hidden_activation', 'gelu'],
    ['my_new_attention_trick', 3],
    ['base', 500000],
    ['ntk_alpha', 1000],
    ['use_dynamic_ntk', true],
    ['logn', true],
    ...(['rms_eps', 'epsilon', 'freq_base', 'swa_every', 'attn_sinks', 'sink_tokens'] as const).map((k): [string, unknown] => [k, 0.5]),
    ...(['yarn', 'use_xpos', 'softmax_off_by_one'] as const).map((k): [string, unknown] => [k, true]),
    // Switches that are on in every Llama.
    ...(['use_rope', 'is_causal', 'use_rmsnorm', 'gated_mlp', 'pre_norm'] as const).map((k): [string, unknown] => [k, false]),
    ['hidden_activation', 'gelu_pytorch_tanh'],
    ['activation_function', 'gelu'],
    ['mlp_hidden_act', 'relu2'],
    ['norm_type', 'layernorm'],
    ['layer_norm_eps', 1e-5],
    ['norm_eps', 1e-5],
    ['attention_bias', 'true'],
    ['attention_out_bias', true],
    ['lm_head_bias', true],
    ['qk_layernorm', true],
    ['query_pre_attn_scalar', 256],
    ['attention_chunk_size', 8192],
    ['attn_temperature_tuning', 4],
    ['no_rope_layer_interval', 4],
    ['rotary_emb_base', 1e6],
    ['rope_ratio', 2],
    ['compress_pos_emb', 2],
    ['pos_emb', 'learned'],
    ['sliding_window_pattern', 6],
    ['n_routed_experts', 64],
    ['moe_intermediate_size', 512],
    ['intermediate_size_mlp', 512],
    ['ffn_dim_multiplier', 1.3],
    ['num_key_value_groups', 2],
    ['multi_query', true],
    ['kv_lora_rank', 512],
    ['lora_rank', 8],
    ['mamba_d_state', 16],
    ['bidirectional_mask', true],
    ['compression_config', { quantization_status: 'compressed' }],
    ['text_config', { hidden_size: 64 }],
    ['llm_config', { rope: { scaling: { rope_scaling: { type: 'yarn' } } } }],
    ['extra', [{ attention_bias: true }]],
    ['torch_dtype', 'float8_e4m3fn'],
    ['dtype', 'int8'],
    ['tie_word_embeddings', 'true'],
    ['quantization', 'fp8'],
    ['hidden_act', 'gelu'],
    ['model_type', 'qwen2'],
    ['head_dim', 31],
  ]; // prettier-ignore

  it.each(refused)('%s of %j is refused by name', (key, value) => {
    expect(() => packedFormat({ ...PLAIN, [key]: value }) ?? parse({ [key]: value })).toThrow(`"${key}"`);
  });

  it.each<[string, unknown]>([
    ['attention_bias', false],
    ['logits_scaling', 1],
    ['partial_rotary_factor', 1],
    ['attention_multiplier', 32 ** -0.5],
    ['sliding_window', null],
    ['sliding_window', 2048],
    ['layer_types', ['full_attention', 'full_attention']],
    ['pretraining_tp', 4],
    ['head_dim', null],
    ['hidden_act', 'swish'],
    ['num_key_value_heads', null],
    ['my_new_attention_trick', null],
    ['num_experts', 0],
    ['num_local_experts', 0],
    ['my_new_attention_trick', false],
    ['layer_types', []],
    ['use_rope', true],
    ['is_causal', true],
    ['hidden_activation', 'silu'],
    ['query_pre_attn_scalar', 32],
    ['torch_dtype', 'bfloat16'],
    ['dtype', 'float32'],
    ['attention_probs_dropout_prob', 0.1],
    ['_flash_attn_2_enabled', true],
    ['_pre_quantization_dtype', 'float16'],
    ['transformers.js_config', { kv_cache_dtype: { q4f16: 'float16' } }],
    ['text_config', null],
  ])('%s of %j changes nothing', (key, value) => {
    const { unknownKeys, ...config } = parse({ [key]: value });
    expect(unknownKeys).toBeUndefined();
    expect(config).toEqual(parse({}));
  });

  it('tells of switches that are off, and that a Llama has on by their names', () => {
    const off = ['apply_rope', 'use_rotary_embeddings', 'causal_attention', 'pre_layernorm', 'scale_attention'];
    expect(parse(Object.fromEntries(off.map((key) => [key, false]))).unknownKeys).toEqual(off);
    expect(parse({ use_qk_norm_too: false, add_head_bias: false }).unknownKeys).toBeUndefined();
  });

  it('takes windows of Qwen by their types alone', () => {
    const qwen = (extra: object): object =>
      parse({
        architectures: ['Qwen2ForCausalLM'],
        num_key_value_heads: 4,
        sliding_window: 16,
        use_sliding_window: true,
        ...extra,
      });
    expect(qwen({ max_window_layers: 1 })).toMatchObject({ window: 16, windowed: [false, true] });
    expect(() => qwen({ use_sliding_window: 'true' })).toThrow('"use_sliding_window" must be true or false');
    expect(() => qwen({ max_window_layers: 'all' })).toThrow('"max_window_layers" must be a whole number');
  });

  it('knows the older name of the architecture, and the answer of a server that refused the file', () => {
    expect(parse({ architectures: ['LLaMAForCausalLM'] })).toEqual(parse({}));
    expect(() => parseConfig({ error: 'Repository not found' })).toThrow('is the answer of a server that refused it');
  });

  it('names what stands in place of an architecture, whatever it is', () => {
    expect(() => parse({ architectures: [{ a: 1 }, null] })).toThrow('architecture {"a":1}, null is not supported');
  });

  it('tells of keys that nothing is known of', () => {
    expect(parse({ fine_tuned_by: 'somebody', release: 3 }).unknownKeys).toEqual(['fine_tuned_by', 'release']);
    const code = { AutoConfig: 'a.B', AutoModelForCausalLM: 'modeling.Llama' };
    expect(parse({ auto_map: code, notes: { by: 'x' } }).unknownKeys).toEqual([
      'auto_map.AutoModelForCausalLM',
      'notes',
    ]);
    expect(() => parse({ sliding_window: 1024, use_sliding_window: false })).not.toThrow();
    expect(() => parse({ sliding_window: 1024, layer_types: ['full_attention', 'full_attention'] })).not.toThrow();
  });
});
