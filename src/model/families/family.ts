import type { ModelConfig } from '../config.js';
import type { ModelGraph, Role } from '../graph.js';

export type Json = Readonly<Record<string, unknown>>;

/** What a `config.json` says in a family's own keys. */
export type FamilyConfig = Pick<ModelConfig, 'window' | 'windowed'>;

/** A kind of model: what its `config.json` may say, and what it computes. */
export interface Family {
  /** For people. */
  readonly title: string;
  /** In `architectures` and `model_type` of `config.json`. */
  readonly architecture: string;
  readonly modelType: string;
  /** Values of keys of `config.json` that are absent, where the family has others than a Llama. */
  readonly defaults?: Json;
  /** Keys that `read` takes, whatever their values. */
  readonly keys?: readonly string[];
  /** @throws RidgepointError naming a value of these keys that is malformed or not supported */
  readonly read?: (json: Json, layers: number, file: string) => FamilyConfig;
  readonly graph: (config: ModelConfig) => ModelGraph;
  /** Names in a checkpoint, by role; those of a layer follow its prefix. */
  readonly tensors: Readonly<Record<Role, string>>;
}

/** How Hugging Face names the tensors of all families that are known so far. */
export const TENSORS: Family['tensors'] = {
  embedding: 'model.embed_tokens.weight',
  attnNorm: 'input_layernorm.weight',
  query: 'self_attn.q_proj.weight',
  key: 'self_attn.k_proj.weight',
  value: 'self_attn.v_proj.weight',
  queryBias: 'self_attn.q_proj.bias',
  keyBias: 'self_attn.k_proj.bias',
  valueBias: 'self_attn.v_proj.bias',
  attnOutput: 'self_attn.o_proj.weight',
  mlpNorm: 'post_attention_layernorm.weight',
  gate: 'mlp.gate_proj.weight',
  up: 'mlp.up_proj.weight',
  down: 'mlp.down_proj.weight',
  finalNorm: 'model.norm.weight',
  head: 'lm_head.weight',
};
