import { RidgepointError } from '../../errors.js';
import { decoder } from './decoder.js';
import { TENSORS, type Family, type Json } from './family.js';
import { readWindow } from './window.js';

export const QWEN_DEFAULTS = {
  ...{ num_key_value_heads: 32, max_position_embeddings: 32_768 },
  ...{ use_sliding_window: false, sliding_window: 4096, max_window_layers: 28 },
};
export const QWEN_KEYS = ['use_sliding_window', 'sliding_window', 'max_window_layers', 'layer_types'];

/** A window where `use_sliding_window` asks for it, from layer `max_window_layers` on. */
export function qwenWindow(json: Json, layers: number, file: string): ReturnType<typeof readWindow> {
  const fail = (key: string, expected: string): never => {
    const found = JSON.stringify(json[key]);
    throw new RidgepointError('checkpoint', `${file}: "${key}" must be ${expected}, found ${found}`);
  };
  const used = json['use_sliding_window'] ?? false;
  if (typeof used !== 'boolean') fail('use_sliding_window', 'true or false');
  const first = json['max_window_layers'] ?? 0;
  if (typeof first !== 'number' || !Number.isInteger(first)) fail('max_window_layers', 'a whole number');
  const size = used === true ? json['sliding_window'] : null;
  return readWindow(json, size, (layer) => layer >= Number(first), layers, file);
}

/** Qwen2 and 2.5: a Llama with biases of queries, keys and values, which `attention_bias` has no say in. */
export const qwen2: Family = {
  title: 'Qwen2',
  architecture: 'Qwen2ForCausalLM',
  modelType: 'qwen2',
  defaults: QWEN_DEFAULTS,
  keys: [...QWEN_KEYS, 'attention_bias'],
  read: qwenWindow,
  graph: (config) => decoder(config, { bias: true }),
  tensors: TENSORS,
};
