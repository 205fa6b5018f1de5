import type { Checkpoint, TensorInfo } from '../../src/checkpoint/checkpoint.js';
import type { StoredDtype } from '../../src/kernels/weights.js';
import { parseConfig, type ModelConfig } from '../../src/model/config.js';
import { random } from '../reference/compare.js';
import { rounded, storedWeights } from './weights.js';

/** A configuration with small sizes for everything that is not given. */
export function tinyConfig(overrides: Record<string, unknown> = {}): ModelConfig {
  return parseConfig({
    hidden_size: 64,
    intermediate_size: 172,
    num_hidden_layers: 2,
    num_attention_heads: 8,
    num_key_value_heads: 4,
    vocab_size: 105,
    max_position_embeddings: 512,
    ...overrides,
  });
}

export const LLAMA_2_7B = parseConfig({
  hidden_size: 4096,
  intermediate_size: 11008,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  vocab_size: 32000,
  max_position_embeddings: 4096,
  rms_norm_eps: 1e-5,
});

/** The tensors of a model under their Hugging Face names, with their shapes. */
export function tensorShapes(config: ModelConfig): Record<string, number[]> {
  const { layers, hidden, intermediate, heads, kvHeads, headDim, vocab } = config;
  const shapes: Record<string, number[]> = { 'model.embed_tokens.weight': [vocab, hidden] };
  for (let i = 0; i < layers; i++) {
    const of = (name: string, ...shape: number[]): void => void (shapes[`model.layers.${i}.${name}.weight`] = shape);
    of('input_layernorm', hidden);
    of('self_attn.q_proj', heads * headDim, hidden);
    of('self_attn.k_proj', kvHeads * headDim, hidden);
    of('self_attn.v_proj', kvHeads * headDim, hidden);
    if (config.family === 'qwen2') {
      const biased = { q: heads * headDim, k: kvHeads * headDim, v: kvHeads * headDim };
      for (const [name, size] of Object.entries(biased))
        shapes[`model.layers.${i}.self_attn.${name}_proj.bias`] = [size];
    }
    if (config.family === 'qwen3') {
      of('self_attn.q_norm', headDim);
      of('self_attn.k_norm', headDim);
    }
    of('self_attn.o_proj', hidden, heads * headDim);
    of('post_attention_layernorm', hidden);
    of('mlp.gate_proj', intermediate, hidden);
    of('mlp.up_proj', intermediate, hidden);
    of('mlp.down_proj', hidden, intermediate);
  }
  shapes['model.norm.weight'] = [hidden];
  if (!config.tiedEmbeddings) shapes['lm_head.weight'] = [vocab, hidden];
  return shapes;
}

/** Random weights that keep activations of order one, matrices rounded to the stored type and scales to f32. */
export function randomWeights(config: ModelConfig, dtype: StoredDtype, seed: number): Record<string, Float64Array> {
  const rng = random(seed);
  return Object.fromEntries(
    Object.entries(tensorShapes(config)).map(([name, shape]) => {
      const size = shape.reduce((product, length) => product * length, 1);
      if (shape.length === 1) return [name, rounded(rng.uniform(size, 0.5, 1.5), 'f32')];
      return [
        name,
        storedWeights(rng.normal(size, name.includes('embed') ? 1 : 1 / Math.sqrt(shape[1])), shape[1], dtype),
      ];
    }),
  );
}

/** A checkpoint in memory, all tensors F32. */
export function fakeCheckpoint(config: ModelConfig, weights: Readonly<Record<string, Float64Array>>): Checkpoint {
  const tensors = new Map<string, TensorInfo>();
  const bytes = new Map<string, Uint8Array>();
  let totalBytes = 0;
  for (const [name, shape] of Object.entries(tensorShapes(config))) {
    const data = new Uint8Array(Float32Array.from(weights[name]).buffer);
    tensors.set(name, { name, dtype: 'F32', shape, begin: 0, end: data.length, file: 'memory' });
    bytes.set(name, data);
    totalBytes += data.length;
  }
  return {
    tensors,
    totalBytes,
    require(name, shape) {
      const info = tensors.get(name);
      if (info?.shape.join() !== shape.join()) throw new Error(`${name}: not [${shape.join()}]`);
      return { ...info, dtype: 'F32' };
    },
    readRange: (name, offset, into) =>
      Promise.resolve(into.set(bytes.get(name)!.subarray(offset, offset + into.length))),
    quantsOf: () => Promise.resolve(undefined),
    close: () => Promise.resolve(),
  };
}
