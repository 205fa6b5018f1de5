import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Checkpoint } from '../../../src/checkpoint/checkpoint.js';
import { f32ToF16 } from '../../../src/checkpoint/float.js';
import type { ModelConfig } from '../../../src/model/config.js';
import { graphOf } from '../../../src/model/families/index.js';
import { layersOf } from '../../../src/model/graph.js';
import { ropeTable } from '../../../src/model/rope-table.js';
import { FileWriter } from './file-writer.js';
import { OnnxGraph } from './onnx-graph.js';
import { readF16, readF32 } from './read.js';
import { llamaTensors, refuseUnwritten, type LlamaTensor } from './tensors.js';

const MICROSOFT = 'com.microsoft';

/** [rows, cols] to [cols, rows], tile by tile for the cache. */
export function transpose(data: Uint16Array, rows: number, cols: number): Uint16Array<ArrayBuffer> {
  const TILE = 32;
  const out = new Uint16Array(data.length);
  for (let r0 = 0; r0 < rows; r0 += TILE) {
    for (let c0 = 0; c0 < cols; c0 += TILE) {
      for (let r = r0; r < Math.min(r0 + TILE, rows); r++) {
        for (let c = c0; c < Math.min(c0 + TILE, cols); c++) out[c * rows + r] = data[r * cols + c];
      }
    }
  }
  return out;
}

function halves(values: Float32Array): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(new Uint32Array(values.buffer, values.byteOffset, values.length), f32ToF16);
}

const bytesOf = (data: Uint16Array | BigInt64Array): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** Weights of the graph: matrices turned to [inputs, outputs], except the embedding, of which rows are looked up. */
interface Weight {
  readonly tensor: LlamaTensor;
  readonly name: string;
  readonly turned: boolean;
}

function weightsOf(config: ModelConfig): Weight[] {
  const weights = llamaTensors(config).map((tensor): Weight => {
    return { tensor, name: tensor.name, turned: tensor.shape.length === 2 && tensor.role !== 'embedding' };
  });
  const embedding = weights[0].tensor;
  if (config.tiedEmbeddings) weights.push({ tensor: embedding, name: 'lm_head.weight', turned: true });
  return weights;
}

/**
 * The graph of a model in float16 as ONNX Runtime's own model builder lays it out: fused normalizations, grouped-query
 * attention with rotation inside, keys and values handed from step to step. Inputs and outputs have the names that
 * transformers.js looks for; logits are made for the last `num_logits_to_keep` positions only, in float32.
 */
export function llamaGraph(config: ModelConfig, dataFile: string): OnnxGraph {
  const { layers, heads, kvHeads, headDim, vocab, maxPositions, rmsNormEps } = config;
  const graph = new OnnxGraph(dataFile);
  const i64 = (name: string, shape: number[], ...values: number[]): string =>
    graph.constant(name, 'i64', shape, bytesOf(BigInt64Array.from(values, BigInt)));

  for (const { tensor, name, turned } of weightsOf(config)) {
    const { shape } = tensor;
    const bytes = 2 * shape.reduce((product, extent) => product * extent, 1);
    graph.external(name, 'f16', turned ? [...shape].reverse() : shape, bytes);
  }
  const table = ropeTable(config, maxPositions);
  for (const [name, phase] of [
    ['cos_cache', 0],
    ['sin_cache', 1],
  ] as const) {
    const values = table.filter((_, i) => i % 2 === phase);
    graph.constant(name, 'f16', [maxPositions, headDim / 2], bytesOf(halves(values)));
  }

  graph.input('input_ids', 'i64', ['batch_size', 'sequence_length']);
  graph.input('attention_mask', 'i64', ['batch_size', 'total_sequence_length']);
  graph.input('num_logits_to_keep', 'i64', []);
  const cache = (length: string): (string | number)[] => ['batch_size', kvHeads, length, headDim];
  for (let i = 0; i < layers; i++) {
    for (const kind of ['key', 'value']) {
      graph.input(`past_key_values.${i}.${kind}`, 'f16', cache('past_sequence_length'));
    }
  }
  graph.output('logits', 'f32', ['batch_size', 'num_logits', vocab]);
  for (let i = 0; i < layers; i++) {
    for (const kind of ['key', 'value']) graph.output(`present.${i}.${kind}`, 'f16', cache('total_sequence_length'));
  }

  const one = i64('one', [1], 1);
  const lengths = graph.node('ReduceSum', ['attention_mask', one], ['lengths'], { keepdims: 0 });
  const lengthsLessOne = graph.node('Sub', [lengths, one], ['lengths_less_one']);
  const seqlens = graph.node('Cast', [lengthsLessOne], ['seqlens_k'], { to: 6 });
  const maskShape = graph.node('Shape', ['attention_mask'], ['mask_shape']);
  const total64 = graph.node('Gather', [maskShape, i64('one_scalar', [], 1)], ['total_length_64'], { axis: 0 });
  const total = graph.node('Cast', [total64], ['total_length'], { to: 6 });

  const layerValues = layersOf(graphOf(config));
  const headShape = (count: number, name: string): string => i64(name, [4], 0, 0, count, headDim);
  const normed = layerValues.flat().some((each) => each.op === 'heads' && each.work === 'norm');
  const shapes = normed
    ? { q_norm: headShape(heads, 'query_heads'), k_norm: headShape(kvHeads, 'key_heads') }
    : undefined;
  const flat = normed ? i64('flat_heads', [3], 0, 0, -1) : '';
  const norm = { epsilon: { float: rmsNormEps } };
  const matmul = (input: string, weight: string, output: string): string =>
    graph.node('MatMul', [input, weight], [output]);
  let residual = graph.node('Gather', ['model.embed_tokens.weight', 'input_ids'], ['embedding']);
  let branch: string | undefined;
  /** Adds the branch to the residual and normalizes the sum. */
  const addAndNormalize = (weight: string, name: string, keepSum = true): string => {
    const output = `${name}.normed`;
    if (branch === undefined) {
      return graph.node('SimplifiedLayerNormalization', [residual, weight], [output], { axis: -1, ...norm });
    }
    const inputs = [residual, branch, weight];
    const sum = `${name}.sum`;
    graph.node('SkipSimplifiedLayerNormalization', inputs, keepSum ? [output, '', '', sum] : [output], norm, MICROSOFT);
    residual = sum;
    return output;
  };

  for (let i = 0; i < layers; i++) {
    const prefix = `model.layers.${i}`;
    const attn = `${prefix}.self_attn`;
    const mlp = `${prefix}.mlp`;
    const x = addAndNormalize(`${prefix}.input_layernorm.weight`, `${prefix}.input`);
    const values = layerValues[i];
    const bias = values.some((each) => each.op === 'project' && each.from.some((source) => source.bias !== undefined));
    const projected = (part: 'q_proj' | 'k_proj' | 'v_proj'): string => {
      const product = matmul(x, `${attn}.${part}.weight`, `${attn}.${part}`);
      return bias ? graph.node('Add', [product, `${attn}.${part}.bias`], [`${attn}.${part}.biased`]) : product;
    };
    /** The norm of each head. */
    const headNormed = (rows: string, part: 'q_norm' | 'k_norm'): string => {
      if (shapes === undefined) return rows;
      const name = `${attn}.${part}`;
      const apart = graph.node('Reshape', [rows, shapes[part]], [`${name}.heads`]);
      const inputs = [apart, `${name}.weight`];
      graph.node('SimplifiedLayerNormalization', inputs, [`${name}.normed`], { axis: -1, ...norm });
      return graph.node('Reshape', [`${name}.normed`, flat], [`${name}.flat`]);
    };
    const [q, k, v] = [
      headNormed(projected('q_proj'), 'q_norm'),
      headNormed(projected('k_proj'), 'k_norm'),
      projected('v_proj'),
    ];
    const window = values.find((each) => each.op === 'attend')?.window;
    const past = [`past_key_values.${i}.key`, `past_key_values.${i}.value`];
    const attended = graph.node(
      'GroupQueryAttention',
      [q, k, v, ...past, seqlens, total, 'cos_cache', 'sin_cache'],
      [`${attn}.attended`, `present.${i}.key`, `present.${i}.value`],
      {
        ...{ num_heads: heads, kv_num_heads: kvHeads, do_rotary: 1, rotary_interleaved: 0 },
        ...(window !== undefined && { local_window_size: window }),
      },
      MICROSOFT,
    );
    branch = matmul(attended, `${attn}.o_proj.weight`, `${attn}.o_proj`);
    const y = addAndNormalize(`${prefix}.post_attention_layernorm.weight`, `${prefix}.post_attention`);
    const gate = matmul(y, `${mlp}.gate_proj.weight`, `${mlp}.gate_proj`);
    const up = matmul(y, `${mlp}.up_proj.weight`, `${mlp}.up_proj`);
    const sigmoid = graph.node('Sigmoid', [gate], [`${mlp}.sigmoid`]);
    const silu = graph.node('Mul', [gate, sigmoid], [`${mlp}.silu`]);
    const gated = graph.node('Mul', [silu, up], [`${mlp}.gated`]);
    branch = matmul(gated, `${mlp}.down_proj.weight`, `${mlp}.down_proj`);
  }
  const final = addAndNormalize('model.norm.weight', 'model.norm', false);

  // The last n positions; for n = 0 the slice begins at 0 and keeps all, as transformers.js means it.
  const keep = graph.node('Reshape', ['num_logits_to_keep', i64('vector_shape', [1], 1)], ['keep']);
  const from = graph.node('Neg', [keep], ['keep_from']);
  const to = i64('to_end', [1], Number.MAX_SAFE_INTEGER);
  const kept = graph.node('Slice', [final, from, to, one], ['kept']);
  const logits = matmul(kept, 'lm_head.weight', 'logits_f16');
  graph.node('Cast', [logits], ['logits'], { to: 1 });
  return graph;
}

/** Writes a model as `PATH` (the graph) and `PATH_data` (the weights), float16 throughout. */
export async function writeOnnx(
  name: string,
  config: ModelConfig,
  checkpoint: Checkpoint,
  path: string,
): Promise<void> {
  refuseUnwritten(config);
  const data = new FileWriter(`${path}_data`);
  for (const { tensor, turned } of weightsOf(config)) {
    let values: Uint16Array<ArrayBuffer>;
    if (tensor.shape.length === 1) values = halves(await readF32(checkpoint, tensor));
    else values = await readF16(checkpoint, tensor);
    if (turned) values = transpose(values, tensor.shape[0], tensor.shape[1]);
    data.write(bytesOf(values));
  }
  data.finish();
  writeFileSync(path, llamaGraph(config, `${basename(path)}_data`).encode(name));
}
