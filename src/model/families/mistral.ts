import { decoder } from './decoder.js';
import { TENSORS, type Family } from './family.js';
import { readWindow } from './window.js';

/** A Llama whose attention may see a window only, the same in all layers unless `layer_types` says otherwise. */
export const mistral: Family = {
  title: 'Mistral',
  architecture: 'MistralForCausalLM',
  modelType: 'mistral',
  defaults: { num_key_value_heads: 8, max_position_embeddings: 131_072, sliding_window: 4096 },
  keys: ['sliding_window', 'layer_types'],
  read: (json, layers, file) => readWindow(json, json['sliding_window'], () => true, layers, file),
  graph: (config) => decoder(config),
  tensors: TENSORS,
};
