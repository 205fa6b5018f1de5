import type { ModelConfig } from '../config.js';
import {
  attend,
  embed,
  gate,
  norm,
  project,
  rotate,
  sample,
  segmentsOf,
  type HeadWork,
  type ModelGraph,
  type Source,
  type Value,
} from '../graph.js';

/** What families differ in that are made like a Llama. */
export interface DecoderOptions {
  /** Biases of queries, keys and values. */
  readonly bias?: boolean;
  /** What is done to heads before they are rotated. */
  readonly heads?: readonly HeadWork[];
}

/** A layer as a Llama has it: attention and a gated MLP, each behind a norm and added to the residual stream. */
function decoderLayer(config: ModelConfig, window: number | undefined, options: DecoderOptions): Value[] {
  const { hidden, intermediate, heads, kvHeads, headDim } = config;
  const { bias = false, heads: work = [] } = options;
  const qkv: Source[] = [
    { role: 'query', rows: heads * headDim, rotates: true, ...(bias && { bias: 'queryBias' }) },
    { role: 'key', rows: kvHeads * headDim, rotates: true, ...(bias && { bias: 'keyBias' }) },
    { role: 'value', rows: kvHeads * headDim, ...(bias && { bias: 'valueBias' }) },
  ];
  const gateUp: Source[] = [
    { role: 'gate', rows: intermediate },
    { role: 'up', rows: intermediate },
  ];
  return [
    norm('attn_norm', hidden, 'attnNorm'),
    project('qkv', qkv, hidden, { reads: 'normed', writes: 'qkv', split: 'outputs' }),
    ...work,
    rotate(),
    attend(window),
    project('o_proj', [{ role: 'attnOutput', rows: hidden }], heads * headDim, {
      ...{ reads: 'attended', writes: 'residual', split: 'inputs' },
    }),
    norm('mlp_norm', hidden, 'mlpNorm'),
    project('gate_up', gateUp, hidden, { reads: 'normed', writes: 'gated', split: 'outputs', rows: 'paired' }),
    gate('silu'),
    project('down_proj', [{ role: 'down', rows: hidden }], intermediate, {
      ...{ reads: 'gated', writes: 'residual', split: 'inputs' },
    }),
  ];
}

/** A model of such layers between an embedding and a head. */
export function decoder(config: ModelConfig, options: DecoderOptions = {}): ModelGraph {
  const { hidden, vocab, window, windowed } = config;
  return {
    before: [embed(hidden)],
    segments: segmentsOf(config, (i) => decoderLayer(config, (windowed?.[i] ?? true) ? window : undefined, options)),
    after: [
      norm('final_norm', hidden, 'finalNorm'),
      project('lm_head', [{ role: 'head', rows: vocab }], hidden, {
        ...{ reads: 'normed', writes: 'logits', split: 'outputs' },
      }),
      sample(vocab),
    ],
  };
}
