import { printable } from '../checkpoint/source.js';
import { RidgepointError } from '../errors.js';
import type { Family } from './families/family.js';

type Json = Readonly<Record<string, unknown>>;

/** Read by `parseConfig` or by what reads quantisation. */
const USED = [
  ...['architectures', 'model_type', 'hidden_act', 'hidden_size', 'intermediate_size', 'num_hidden_layers'],
  ...['num_attention_heads', 'num_key_value_heads', 'head_dim', 'vocab_size', 'max_position_embeddings'],
  ...['rope_theta', 'rope_scaling', 'rope_parameters', 'rms_norm_eps', 'tie_word_embeddings'],
  ...['bos_token_id', 'eos_token_id', 'quantization_config', 'quantization'],
] as const;

/** How to sample, of models that have no `generation_config.json`; where there is one, it alone is asked. */
export const SAMPLING_KEYS = [
  ...['do_sample', 'temperature', 'top_k', 'top_p', 'min_p', 'repetition_penalty', 'typical_p', 'num_beams'],
  ...['diversity_penalty', 'no_repeat_ngram_size', 'encoder_no_repeat_ngram_size', 'bad_words_ids', 'suppress_tokens'],
  ...['begin_suppress_tokens', 'forced_bos_token_id', 'forced_eos_token_id', 'exponential_decay_length_penalty'],
] as const;

/** Known to change nothing in what a Llama computes of given ids. */
const IGNORED = [
  ...SAMPLING_KEYS,
  ...['_name_or_path', '_commit_hash', '_attn_implementation', '_attn_implementation_autoset', 'transformers_version'],
  ...['_attn_implementation_internal', '_flash_attn_2_enabled', '_pre_quantization_dtype', 'transformers.js_config'],
  ...['is_llama_config', 'make_vocab_size_divisible_by', 'pad_to_multiple_of'],
  ...['use_cache', 'initializer_range', 'attention_dropout', 'hidden_dropout', 'attention_probs_dropout_prob'],
  ...['hidden_dropout_prob', 'attn_dropout', 'mlp_dropout', 'ffn_dropout', 'pretraining_tp', 'name'],
  ...['pad_token_id', 'sep_token_id', 'unk_token_id', 'mask_token_id', 'decoder_start_token_id'],
  ...['attn_implementation', 'flash_attn', 'use_flash_attn', 'use_flash_attention', 'gradient_checkpointing'],
  ...['resid_pdrop', 'attn_pdrop', 'embd_pdrop', 'embedding_dropout', 'residual_dropout', 'classifier_dropout'],
  ...['output_attentions', 'output_hidden_states', 'output_past', 'return_dict', 'return_dict_in_generate'],
  ...['output_scores', 'torchscript', 'use_bfloat16', 'tf_legacy_loss', 'chunk_size_feed_forward', 'id2label'],
  ...['label2id', 'num_labels', 'problem_type', 'finetuning_task', 'task_specific_params', 'tokenizer_class', 'prefix'],
  ...['is_decoder', 'max_length', 'min_length', 'early_stopping', 'num_beam_groups', 'length_penalty'],
  ...['num_return_sequences', 'remove_invalid_values', 'max_sequence_length', 'model_max_length', 'seq_length'],
  ...['max_window_layers', 'original_max_position_embeddings', 'unsloth_fixed', 'unsloth_version', 'license'],
  // Shares of work of a server, and names of templates.
  ...['tensor_parallel_size', 'pipeline_parallel_size', 'chat_template'],
] as const;

const isSilu = (value: unknown): boolean => value === 'silu' || value === 'swish';
const isFull = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every((type) => type === 'full_attention');

/** Change what is computed, unless they have the value that stands for a plain Llama. */
const NEUTRAL: Readonly<Record<string, (value: unknown, config: Json) => boolean>> = {
  ...same(false, 'attention_bias', 'mlp_bias', 'use_bias', 'qkv_bias', 'bias', 'use_sliding_window', 'qk_norm'),
  ...same(false, 'use_qk_norm', 'alibi', 'rope_interleaved', 'rope_interleave', 'add_cross_attention', 'use_mup'),
  ...same(false, 'is_encoder_decoder', 'parallel_attn', 'use_parallel_residual', 'cross_attention_hidden_size'),
  ...same(false, 'tie_encoder_decoder', 'use_moe', 'normalization_after'),
  ...same(1, 'partial_rotary_factor', 'rotary_pct', 'logits_scaling', 'logit_scale', 'embedding_multiplier'),
  ...same(1, 'residual_multiplier', 'scale_emb', 'lm_head_multiplier', 'key_multiplier', 'attention_in_multiplier'),
  ...same(1, 'attention_out_multiplier'),
  // As many as a layer without experts may be said to have.
  ...Object.fromEntries(['num_experts', 'num_local_experts', 'num_experts_per_tok'].map((key) => [key, isOneOrNone])),
  // Of most switches, false is the plain Llama; of these, true.
  ...same(true, 'use_rope', 'use_rotary', 'rotary', 'causal', 'is_causal', 'use_causal_mask', 'use_rms_norm'),
  ...same(true, 'use_rmsnorm', 'rms_norm', 'rmsnorm', 'scale_attn_weights', 'gated_mlp', 'use_gated_mlp', 'glu_mlp'),
  ...same(true, 'swiglu', 'use_swiglu', 'pre_norm', 'use_pre_norm'),
  ...same(0, 'num_nextn_predict_layers', 'first_k_dense_replace', 'n_shared_experts'),
  attention_multiplier: (value, config) => Math.abs(Number(value) - headDimOf(config) ** -0.5) < 1e-6,
  ...{ torch_dtype: isFloat, dtype: isFloat, hidden_activation: isSilu, activation_function: isSilu },
  query_pre_attn_scalar: (value, config) => value === headDimOf(config),
  sliding_window: (value, config) =>
    config['use_sliding_window'] === false ||
    isFull(config['layer_types']) ||
    Number(value) >= Number(config['max_position_embeddings'] ?? 2048),
  layer_types: isFull,
  no_rope_layers: (value) => Array.isArray(value) && value.every((rotates) => rotates === 1),
  position_embedding_type: (value) => value === 'rope' || value === 'rotary' || value === 'absolute',
  pruned_heads: (value) => JSON.stringify(value) === '{}',
};

/** What a name looks like that may well change what is computed. */
const MATHS = new RegExp(
  [
    'scal|multiplier|softcap|norm|bias|rope|rotary|attention|attn|window|expert|moe|router|alibi|residual|logit|clip|cap',
    'act\\b|activation|embed|embd|emb_|_emb|layer|head|gate|pos_|position|mup|factor|theta|pattern|kv|chunk|sparse|mask',
    'causal|direction|intermediate|ffn|mlp|hidden|dim|group|query|key_value|vocab|mamba|(^|_)(ssm|conv|lora)(_|$)|quant',
    'compress|adapter|hadamard|rotat|glu|^base$|ntk|logn|yarn|xpos|freq_base|base_freq|softmax|sinks?(_|$)',
    '^(rms_|ln_)?eps(ilon)?$|(^|_)swa(_|$)',
  ].join('|'),
);

/** Switches by their names that a Llama has on, whoever calls them so: off, they are told of. */
const LIKELY_ON =
  /^(apply|use|enable|has)?_?(rope|rotary|causal)|causal_(attn|attention|mask)|pre_?(layer)?_?norm|scale_att/;

const headDimOf = (config: Json): number =>
  Number(config['head_dim'] ?? Number(config['hidden_size']) / Number(config['num_attention_heads']));

function same(neutral: unknown, ...keys: string[]): Record<string, (value: unknown) => boolean> {
  return Object.fromEntries(keys.map((key) => [key, (value: unknown) => value === neutral]));
}

function isOneOrNone(value: unknown): boolean {
  return value === 1 || value === 0;
}

/** Whether weights may be stored so: everything but the formats of 8 bits and fewer, which nothing here reads. */
function isFloat(value: unknown): boolean {
  return typeof value === 'string' && !/float8|fp8|fp4|int\d|float4/.test(value);
}

/** Whether a value says that there is no such thing. */
function isNothing(key: string, value: unknown): boolean {
  if (value === false) return !Object.hasOwn(NEUTRAL, key) || !NEUTRAL[key](true, {});
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}

const KNOWN = new Set<string>([...USED, ...IGNORED]);

/** The first key inside an object that nobody here knows whose name stands for something that is computed. */
function mathsInside(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const means = MATHS.test(key) || Object.hasOwn(NEUTRAL, key) || (USED as readonly string[]).includes(key);
    if (!Array.isArray(value) && means && !isNothing(key, inner)) return key;
    const deeper = mathsInside(inner);
    if (deeper !== undefined) return `${key}.${deeper}`;
  }
  return undefined;
}

/** Code of its own that a model brings along in place of what `architectures` names; this project runs none. */
function ownCode(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return ['auto_map'];
  return Object.keys(value).filter((key) => /^AutoModel(ForCausalLM)?$/.test(key)).map((key) => `auto_map.${key}`); // prettier-ignore
}

/**
 * Sees to it that every key of a `config.json` is one that is used, or one that changes nothing.
 *
 * @returns the keys that nobody here knows and that do not look as if they changed anything
 * @throws RidgepointError naming the key that changes what is computed, in a way that is not supported
 */
export function checkConfigKeys(config: Json, file: string, { title, keys = [] }: Family): string[] {
  const unknown: string[] = [];
  for (const [key, value] of Object.entries(config)) {
    if (KNOWN.has(key) || keys.includes(key)) continue;
    if (isNothing(key, value)) {
      if (value === false && !Object.hasOwn(NEUTRAL, key) && LIKELY_ON.test(key)) unknown.push(key);
      continue;
    }
    const found = `${file}: "${printable(key)}" is ${printable((JSON.stringify(value) ?? '').slice(0, 80))}`;
    if (Object.hasOwn(NEUTRAL, key)) {
      if (NEUTRAL[key](value, config)) continue;
      const message = `${found}, which changes what a ${title} computes in a way that is not supported`;
      throw new RidgepointError('checkpoint', `${message}; choose a model without it`);
    }
    if (key === 'auto_map') {
      unknown.push(...ownCode(value));
      continue;
    }
    const inside = MATHS.test(key) ? '' : mathsInside(value);
    if (inside !== undefined) {
      const what = inside === '' ? 'nothing is known of this key' : `nothing is known of "${printable(inside)}" in it`;
      const message = `${found}; ${what}, which may change what the model computes`;
      throw new RidgepointError('checkpoint', `${message}. Set it to null if you are sure that it does not`);
    }
    unknown.push(key);
  }
  return unknown;
}
