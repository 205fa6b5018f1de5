import type { ActivationDtype } from '../quantization/activations.js';
import type { LlamaConfig } from './config.js';

/** Which workload a step is: many new tokens a sequence, or one. */
export type Phase = 'prefill' | 'decode' | 'mixed';

export type OperationKind = 'embed' | 'norm' | 'quantise' | 'matmul' | 'rope' | 'attention' | 'sample';

/** One part of a batch: `newTokens` rows of a sequence that already has `context` tokens in the cache. */
export interface BatchSequence {
  readonly newTokens: number;
  readonly context: number;
  /** Whether the tokens are a prompt's; when absent, one token is taken for a decoding sequence's and more for a prompt. */
  readonly prefill?: boolean;
}

/** What a step computes, as far as its cost depends on it. */
export interface BatchShape {
  readonly sequences: readonly BatchSequence[];
  /** Rows whose logits are wanted; one a sequence that gets a token. */
  readonly logitRows: number;
}

/** Bytes a number takes where it is stored. Weights and activations have precisions of their own. */
export interface Precision {
  readonly weightBytes: number;
  /** Of embedding and `lm_head`; `weightBytes` when absent. */
  readonly headBytes?: number;
  readonly kvBytes: number;
  /** Of a scale that the cache has for each head of a token; none when absent. */
  readonly kvScaleBytes?: number;
  readonly activationBytes: number;
  /**
   * Of what projections of prompts multiply, where that is not `activationBytes`: 1 where activations are quantised for
   * them, 2 where norms, attention and gates write rows of prompts in f16.
   */
  readonly productBytes?: 1 | 2;
}

/** An operation of the forward pass, before a batch gives it a size. */
export interface OperationShape {
  /** For example `layers.3.gate_up`; recorded, profiled and predicted under this name. */
  readonly name: string;
  readonly kind: OperationKind;
  /** Undefined for what stands before and after the layers. */
  readonly layer: number | undefined;
  /**
   * Rows of the operation: all tokens of the step, only the prompts', or only those whose logits are wanted. What takes
   * a launch of its own for prompts is part of the product before or after it for decoding sequences; the last norm is
   * part of `lm_head` for all.
   */
  readonly rows: 'tokens' | 'prompts' | 'logits';
  /** For a matmul: outputs and inputs a row, [n, k]; else the width it works on, in `k`. */
  readonly n: number;
  readonly k: number;
}

/** An operation with its cost for one batch. Bytes are what must cross device memory at least once. */
export interface Operation extends OperationShape {
  readonly phase: Phase;
  /** Rows of this step. */
  readonly m: number;
  /** Floating-point operations, a multiply-add counted as two. */
  readonly flops: number;
  readonly weightBytes: number;
  /** Activations read and written. */
  readonly activationBytes: number;
  readonly kvReadBytes: number;
  readonly kvWriteBytes: number;
}

/** Operations that do not take all tokens of a step. */
const ROWS: Record<string, OperationShape['rows'] | undefined> = {
  ...{ attn_norm: 'prompts', rope_kv: 'prompts', mlp_norm: 'prompts' },
  ...{ attn_quantise: 'prompts', mlp_quantise: 'prompts' },
  ...{ lm_head: 'logits', sample: 'logits' },
};

/**
 * The operations of a forward pass in the order they run. The engine records this list, the profiler reports under its
 * names, and the predictor prices it.
 *
 * @param variations quantizedKv: keys and values are quantised, which takes a launch of its own for decoding sequences too;
 *   activations: what prompts' products multiply, where under int8 what no norm writes is quantised first
 */
export function operationShapes(
  config: LlamaConfig,
  {
    quantizedKv = false,
    activations = 'f32',
  }: { readonly quantizedKv?: boolean; readonly activations?: ActivationDtype } = {},
): OperationShape[] {
  const { hidden, intermediate, heads, kvHeads, headDim, vocab } = config;
  const qkv = (heads + 2 * kvHeads) * headDim;
  const list: OperationShape[] = [];
  const add = (name: string, kind: OperationKind, n: number, k: number, layer?: number): void => {
    const rows = quantizedKv && name === 'rope_kv' ? 'tokens' : (ROWS[name] ?? 'tokens');
    list.push({ name: layer === undefined ? name : `layers.${layer}.${name}`, kind, layer, rows, n, k });
  };
  add('embed', 'embed', hidden, hidden);
  for (let layer = 0; layer < config.layers; layer++) {
    add('attn_norm', 'norm', hidden, hidden, layer);
    add('qkv', 'matmul', qkv, hidden, layer);
    add('rope_kv', 'rope', qkv, qkv, layer);
    add('attention', 'attention', heads * headDim, heads * headDim, layer);
    if (activations === 'int8') add('attn_quantise', 'quantise', heads * headDim, heads * headDim, layer);
    add('o_proj', 'matmul', hidden, heads * headDim, layer);
    add('mlp_norm', 'norm', hidden, hidden, layer);
    add('gate_up', 'matmul', 2 * intermediate, hidden, layer);
    if (activations === 'int8') add('mlp_quantise', 'quantise', intermediate, intermediate, layer);
    add('down_proj', 'matmul', hidden, intermediate, layer);
  }
  add('lm_head', 'matmul', vocab, hidden);
  add('sample', 'sample', 1, vocab);
  return list;
}

/**
 * The cost of each operation for one batch.
 *
 * FLOPs: matmul 2mnk; attention 4 x heads x headDim for each pair of a query and a key it may see; the rest counted by
 * element. Weight bytes are read once a step whatever the batch, which is what makes decode bound by memory.
 */
export function forwardOperations(config: LlamaConfig, batch: BatchShape, precision: Precision): Operation[] {
  const { heads, kvHeads, headDim, hidden } = config;
  const rowsOf: Record<OperationShape['rows'], number> = { tokens: 0, prompts: 0, logits: batch.logitRows };
  const phase = phaseOf(batch);
  /** Pairs of query and visible key, and keys read, of one layer. */
  let pairs = 0;
  let keys = 0;
  for (const sequence of batch.sequences) {
    const { newTokens, context } = sequence;
    rowsOf.tokens += newTokens;
    if (isPrefill(sequence)) rowsOf.prompts += newTokens;
    pairs += newTokens * context + (newTokens * (newTokens + 1)) / 2;
    keys += context + newTokens;
  }
  /** Rows whose norms and rotations are part of a product. */
  const fused = rowsOf.tokens - rowsOf.prompts;
  const { kvScaleBytes = 0 } = precision;
  const quantizedKv = kvScaleBytes > 0;
  const kvRow = 2 * kvHeads * (headDim * precision.kvBytes + kvScaleBytes);
  const rotated = 3 * (heads + kvHeads) * headDim;

  const activations = precision.productBytes === 1 ? 'int8' : 'f32';
  return operationShapes(config, { quantizedKv, activations }).map((shape): Operation => {
    const m = rowsOf[shape.rows];
    const cost = { flops: 0, weightBytes: 0, activationBytes: 0, kvReadBytes: 0, kvWriteBytes: 0 };
    const act = precision.activationBytes;
    const { productBytes = act } = precision;
    // Only in f16 do attention and gates write what products read; 8 bits are made of f32 by operations of their own.
    const spared = productBytes === 2 ? rowsOf.prompts * (act - productBytes) : 0;
    const weight = shape.layer === undefined ? (precision.headBytes ?? precision.weightBytes) : precision.weightBytes;
    switch (shape.kind) {
      case 'embed':
        cost.weightBytes = m * hidden * weight;
        cost.activationBytes = m * hidden * act;
        break;
      case 'norm':
        cost.flops = 4 * m * hidden;
        cost.weightBytes = m === 0 ? 0 : hidden * 4;
        // They write what products read.
        cost.activationBytes = m * hidden * (act + productBytes);
        break;
      case 'quantise':
        cost.flops = 2 * m * shape.k;
        cost.activationBytes = m * shape.k * (act + productBytes);
        break;
      case 'matmul': {
        cost.flops = 2 * m * shape.n * shape.k;
        cost.weightBytes = m === 0 ? 0 : shape.n * shape.k * weight;
        const part = shape.name.slice(shape.name.lastIndexOf('.') + 1);
        const gated = part === 'gate_up';
        const added = part === 'o_proj' || part === 'down_proj'; // the residual is read too
        const written = gated ? shape.n / 2 : added ? 2 * shape.n : shape.n;
        const prompts = shape.layer === undefined ? 0 : rowsOf.prompts;
        cost.activationBytes = m * (shape.k + written) * act - prompts * shape.k * (act - productBytes);
        if (gated) {
          cost.flops += 4 * m * (shape.n / 2);
          cost.activationBytes -= spared * (shape.n / 2);
        }
        const normed = part === 'lm_head' ? m : gated || part === 'qkv' ? fused : 0;
        if (normed > 0) {
          cost.flops += 4 * normed * hidden;
          cost.weightBytes += hidden * 4;
        }
        if (fused > 0 && part === 'qkv' && !quantizedKv) {
          cost.flops += fused * rotated;
          cost.activationBytes -= fused * 2 * kvHeads * headDim * act;
          cost.kvWriteBytes = fused * kvRow;
        }
        break;
      }
      case 'rope':
        cost.flops = m * rotated;
        cost.activationBytes = m * (shape.n + heads * headDim) * act;
        cost.kvWriteBytes = m * kvRow;
        break;
      case 'attention':
        cost.flops = 4 * heads * headDim * pairs + 5 * heads * pairs;
        cost.activationBytes = heads * headDim * (2 * m * act - spared);
        cost.kvReadBytes = keys * kvRow;
        break;
      case 'sample':
        cost.flops = m * shape.k;
        cost.activationBytes = m * shape.k * act;
        break;
    }
    return { ...shape, phase, m, ...cost };
  });
}

/** Whether a part of a batch is a prompt's, for which kernels for many rows are used. */
export function isPrefill({ newTokens, prefill = newTokens > 1 }: BatchSequence): boolean {
  return prefill;
}

export function phaseOf(batch: BatchShape): Phase {
  let decoding = 0;
  for (const sequence of batch.sequences) if (!isPrefill(sequence)) decoding++;
  if (decoding === batch.sequences.length) return 'decode';
  return decoding === 0 ? 'prefill' : 'mixed';
}

/** Number of trained parameters; a tied embedding counts once. */
export function parameterCount(config: LlamaConfig): number {
  const { layers, hidden, intermediate, heads, kvHeads, headDim, vocab } = config;
  const layer = 2 * hidden + (2 * heads + 2 * kvHeads) * headDim * hidden + 3 * hidden * intermediate;
  return layers * layer + hidden + vocab * hidden * (config.tiedEmbeddings ? 1 : 2);
}
