import { RidgepointError } from '../../../src/errors.js';
import type { LlamaConfig } from '../../../src/model/config.js';

/** What a tensor is in the network; exporters decide names, order of rows and stored type by it. */
export type TensorRole =
  | 'embedding'
  | 'attnNorm'
  | 'query'
  | 'key'
  | 'value'
  | 'attnOutput'
  | 'mlpNorm'
  | 'gate'
  | 'up'
  | 'down'
  | 'finalNorm'
  | 'head';

/** A tensor of a Llama as Hugging Face names and shapes it. */
export interface LlamaTensor {
  readonly role: TensorRole;
  /** For example `model.layers.3.mlp.up_proj.weight`. */
  readonly name: string;
  /** Undefined outside the layers. */
  readonly layer: number | undefined;
  /** [outputs, inputs], or [size] of a norm's scale. */
  readonly shape: readonly number[];
}

/** All tensors of a dense Llama in the order the forward pass uses them; the head only where it is not the embedding. */
export function llamaTensors(config: LlamaConfig): LlamaTensor[] {
  const { layers, hidden, intermediate, heads, kvHeads, headDim, vocab, tiedEmbeddings } = config;
  const list: LlamaTensor[] = [];
  const add = (role: TensorRole, name: string, shape: number[], layer?: number): void => {
    list.push({ role, name: `${name}.weight`, layer, shape });
  };
  add('embedding', 'model.embed_tokens', [vocab, hidden]);
  for (let i = 0; i < layers; i++) {
    const prefix = `model.layers.${i}`;
    add('attnNorm', `${prefix}.input_layernorm`, [hidden], i);
    add('query', `${prefix}.self_attn.q_proj`, [heads * headDim, hidden], i);
    add('key', `${prefix}.self_attn.k_proj`, [kvHeads * headDim, hidden], i);
    add('value', `${prefix}.self_attn.v_proj`, [kvHeads * headDim, hidden], i);
    add('attnOutput', `${prefix}.self_attn.o_proj`, [hidden, heads * headDim], i);
    add('mlpNorm', `${prefix}.post_attention_layernorm`, [hidden], i);
    add('gate', `${prefix}.mlp.gate_proj`, [intermediate, hidden], i);
    add('up', `${prefix}.mlp.up_proj`, [intermediate, hidden], i);
    add('down', `${prefix}.mlp.down_proj`, [hidden, intermediate], i);
  }
  add('finalNorm', 'model.norm', [hidden]);
  if (!tiedEmbeddings) add('head', 'lm_head', [vocab, hidden]);
  return list;
}

/** @throws RidgepointError where positions are scaled, which the exporters do not write */
export function refuseRopeScaling(config: LlamaConfig): void {
  if (config.ropeScaling.type === 'none') return;
  throw new RidgepointError('usage', 'config.json: "rope_scaling" cannot be exported; take a model without it');
}
