import { describe, expect, it } from 'vitest';
import { f32Value, f16ToF32, f32ToF16 } from '../../src/checkpoint/float.js';
import { parseConfig } from '../../src/model/config.js';
import { packAwq, packGptq, quantLayer, weightsOf, type ScaleDtype } from '../checkpoint/packing.js';
import { safetensors, type TensorSpec } from '../checkpoint/support.js';
import { random, relativeError } from '../reference/compare.js';
import { ReferenceLlama } from '../reference/llama.js';
import { tensorShapes } from '../support/model.js';
import { chosen } from '../support/scale.js';
import { withEngine, writeFolder } from './support.js';

const MODEL = {
  architectures: ['LlamaForCausalLM'],
  ...{ hidden_size: 64, intermediate_size: 96, num_attention_heads: 4, num_key_value_heads: 2, num_hidden_layers: 2 },
  ...{ vocab_size: 61, max_position_embeddings: 128, rms_norm_eps: 1e-5 },
};
const CONFIG = parseConfig(MODEL);
const PROMPT = [1, 17, 5, 40, 33, 2, 9];

interface Packing {
  readonly method: 'gptq' | 'awq';
  readonly scales?: ScaleDtype;
  /** Bits of a matrix, and whether its groups are mixed; undefined: it is left in full precision. */
  readonly packs?: (
    name: string,
  ) => { readonly bits: 4 | 8; readonly group?: number; readonly actOrder?: boolean } | undefined;
}

const half = (value: number): number => {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0];
  return f32Value(f16ToF32(f32ToF16(bits)));
};

/** A file of weights packed as asked, and what they stand for. */
function packed({ method, scales = 'F16', packs = () => ({ bits: 4 }) }: Packing) {
  const rng = random(5);
  const weights: Record<string, Float64Array> = {};
  const tensors: Record<string, TensorSpec> = {};
  let seed = 1;
  for (const [name, shape] of Object.entries(tensorShapes(CONFIG))) {
    const how = name.endsWith('_proj.weight') ? packs(name) : undefined;
    if (how !== undefined) {
      const [outputs, inputs] = shape;
      const layer = quantLayer(inputs, outputs, { group: 32, ...how, coarse: scales === 'BF16' }, seed++);
      weights[name] = weightsOf(layer);
      const parts = method === 'gptq' ? packGptq(layer, 1, scales) : packAwq(layer, scales);
      for (const [part, tensor] of Object.entries(parts)) tensors[name.replace(/weight$/, part)] = tensor;
      continue;
    }
    const size = shape.reduce((product, length) => product * length, 1);
    const values =
      shape.length === 1 ? rng.uniform(size, 0.5, 1.5) : rng.normal(size, name.includes('embed') ? 1 : 0.12);
    // As they are stored in f16, so that only arithmetic is left to differ.
    weights[name] = values.map(half);
    tensors[name] = { dtype: 'F32', shape, data: new Uint8Array(Float32Array.from(weights[name]).buffer) };
  }
  return { weights, file: safetensors(tensors) };
}

const GPTQ = { quant_method: 'gptq', bits: 4, group_size: 32, desc_act: false, sym: false };
const AWQ = { quant_method: 'awq', bits: 4, group_size: 32, zero_point: true, version: 'GEMM' };
const is =
  (...parts: string[]) =>
  (name: string) =>
    parts.some((part) => name.includes(part));

/** Formats of the layers' four matrices, in f16 where nothing is said. */
const CASES: [string, Packing, Record<string, object>][] = [
  ['one of three projections and all of another left in full precision',
    { method: 'gptq', packs: (name) => (is('layers.0.self_attn.q_proj', 'layers.1.mlp.down_proj')(name) ? undefined : { bits: 4 }) },
    { 'config.json': { quantization_config: { ...GPTQ, modules_to_not_convert: ['q_proj'] } } }],
  ['AWQ with a whole block left out',
    { method: 'awq', packs: (name) => (is('layers.1.')(name) ? undefined : { bits: 4 }) },
    { 'config.json': { quantization_config: { ...AWQ, modules_to_not_convert: ['model.layers.1'] } } }],
  ['GPTQ whose rules skip some, give others eight bits and others larger groups',
    { method: 'gptq', packs: (name) => (is('layers.0.self_attn')(name) ? undefined : is('mlp')(name) ? { bits: 8 } : is('o_proj')(name) ? { bits: 4, group: 64 } : { bits: 4 }) },
    { 'config.json': { quantization_config: { ...GPTQ, dynamic: { '-:.*layers\\.0\\.self_attn': {}, '+:(?:\\w|\\w\\w|\\.)+\\.mlp\\b': { bits: 8 }, '.*o_proj': { group_size: 64 } } } } }],
  ['groups that are mixed in one matrix, though config.json says in none',
    { method: 'gptq', packs: (name) => ({ bits: 4, actOrder: is('layers.0.mlp.down_proj', 'layers.1.self_attn.v_proj')(name) }) },
    { 'config.json': { quantization_config: GPTQ } }],
  ['GPTQ with scales in bf16', { method: 'gptq', scales: 'BF16' }, { 'config.json': { quantization_config: GPTQ } }],
  ['GPTQ with scales in f32', { method: 'gptq', scales: 'F32' }, { 'config.json': { quantization_config: GPTQ } }],
  ['AWQ with scales in bf16', { method: 'awq', scales: 'BF16' }, { 'config.json': { quantization_config: AWQ } }],
  ['AWQ with scales in f32', { method: 'awq', scales: 'F32' }, { 'config.json': { quantization_config: AWQ } }],
  ['GPTQ told of in quantize_config.json', { method: 'gptq' },
    { 'quantize_config.json': { bits: 4, group_size: 32, desc_act: false, damp_percent: 0.01, model_file_base_name: 'model' } }],
  ['AWQ told of in quant_config.json', { method: 'awq' },
    { 'quant_config.json': { zero_point: true, q_group_size: 32, w_bit: 4, version: 'GEMM' } }],
]; // prettier-ignore

describe('a checkpoint that is not quantised alike throughout', () => {
  it.each(chosen(CASES, (_, i) => i === 0))('%s', async (_, packing, files) => {
    const { weights, file } = packed(packing);
    const json = { ...MODEL, ...files['config.json'] };
    const others = Object.fromEntries(Object.entries(files).map(([name, content]) => [name, JSON.stringify(content)]));
    const model = writeFolder({ ...others, 'config.json': JSON.stringify(json), 'model.safetensors': file });
    await withEngine({ model, kvDtype: 'f32', maxSequences: 1, contextLength: 64 }, async (engine) => {
      const generation = engine.generate(PROMPT, { temperature: 0, ignoreEos: true, maxTokens: 6, logprobs: 61 });
      const found: number[][] = [];
      for await (const { logprobs } of generation) {
        for (const { top } of logprobs ?? [])
          found.push([...top].sort((a, b) => a.id - b.id).map((each) => each.logprob));
      }
      const { ids } = await generation.result;
      const rows = new ReferenceLlama(CONFIG, weights).forward([...PROMPT, ...ids]);
      expect(found).toHaveLength(6);
      found.forEach((logprobs, i) => {
        const logits = rows[PROMPT.length - 1 + i];
        const norm = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
        // Where matrices left in full precision or of mixed groups are kept in f16 their weights are rounded, by up to
        // 2^-11 each; what is packed is kept exactly.
        expect(
          relativeError(
            logprobs,
            logits.map((logit) => logit - norm),
          ),
        ).toBeLessThan(packing.packs ? 1e-3 : 2e-5);
      });
    });
  });
});
