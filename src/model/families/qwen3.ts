import { decoder } from './decoder.js';
import { TENSORS, type Family } from './family.js';
import { QWEN_DEFAULTS, QWEN_KEYS, qwenWindow } from './qwen2.js';

/** A Llama that norms each head of queries and keys, with heads of a size of their own. */
export const qwen3: Family = {
  title: 'Qwen3',
  architecture: 'Qwen3ForCausalLM',
  modelType: 'qwen3',
  defaults: { ...QWEN_DEFAULTS, head_dim: 128 },
  keys: QWEN_KEYS,
  read: qwenWindow,
  graph: (config) => decoder(config, { headNorm: true }),
  tensors: TENSORS,
};
