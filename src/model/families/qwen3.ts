import type { ModelConfig } from '../config.js';
import type { HeadWork } from '../graph.js';
import { decoder } from './decoder.js';
import { TENSORS, type Family } from './family.js';
import { QWEN_DEFAULTS, QWEN_KEYS, qwenWindow } from './qwen2.js';

/** RMSNorm of each head of queries and of keys. */
const normHeads = ({ heads, kvHeads, headDim }: ModelConfig): HeadWork => ({
  op: 'heads',
  work: 'norm',
  params: ['queryNorm', 'keyNorm'].map((role) => ({ role, rows: headDim, headDim })),
  flops: 4 * (heads + kvHeads) * headDim,
});

/** A Llama that norms each head of queries and keys, with heads of a size of their own. */
export const qwen3: Family = {
  title: 'Qwen3',
  architecture: 'Qwen3ForCausalLM',
  modelType: 'qwen3',
  defaults: { ...QWEN_DEFAULTS, head_dim: 128 },
  keys: QWEN_KEYS,
  read: qwenWindow,
  graph: (config) => decoder(config, { heads: [normHeads(config)] }),
  tensors: { ...TENSORS, queryNorm: 'self_attn.q_norm.weight', keyNorm: 'self_attn.k_norm.weight' },
};
