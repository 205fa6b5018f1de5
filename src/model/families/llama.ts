import { decoder } from './decoder.js';
import { TENSORS, type Family } from './family.js';

export const llama: Family = {
  title: 'Llama',
  architecture: 'LlamaForCausalLM',
  modelType: 'llama',
  graph: (config) => decoder(config),
  tensors: TENSORS,
};
