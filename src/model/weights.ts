import type { Gpu } from '../gpu/gpu.js';
import {
  allocateMatrix,
  laneRows,
  paddedColumns,
  storedBytes,
  type StoredDtype,
  type WeightLayout,
  type WeightMatrix,
} from '../kernels/weights.js';
import type { LlamaConfig } from './config.js';

/** Weights of one transformer layer as the kernels want them. */
export interface LayerWeights {
  readonly attnNorm: GPUBuffer;
  /** Rows: queries, keys, values; the two halves of a rotary pair are neighbours in the first two. */
  readonly qkv: WeightMatrix;
  readonly oProj: WeightMatrix;
  readonly mlpNorm: GPUBuffer;
  /** Rows: gate 0, up 0, gate 1, up 1, ... */
  readonly gateUp: WeightMatrix;
  readonly downProj: WeightMatrix;
}

/** All weights of a model on the GPU; allocated first, filled later, so that kernels can be made meanwhile. */
export interface ModelWeights {
  /** Of the layers' matrices. */
  readonly dtype: StoredDtype;
  readonly embedding: WeightMatrix;
  /** The same object as `embedding` when the two are tied. */
  readonly lmHead: WeightMatrix;
  readonly finalNorm: GPUBuffer;
  readonly layers: readonly LayerWeights[];
  readonly bytes: number;
}

/** Bytes `allocateWeights` will ask for. @param head the format of embedding and `lm_head` */
export function weightBytes(config: LlamaConfig, layout: WeightLayout, tied: boolean, head = layout.dtype): number {
  const { hidden, intermediate, heads, kvHeads, headDim, vocab, layers } = config;
  const norm = paddedColumns(hidden) * 4;
  const layer =
    2 * norm +
    storedBytes((heads + 2 * kvHeads) * headDim, hidden, layout) +
    storedBytes(hidden, heads * headDim, layout) +
    storedBytes(2 * intermediate, hidden, layout) +
    storedBytes(hidden, intermediate, layout);
  const vocabulary = storedBytes(vocab, hidden, { ...layout, dtype: head });
  return layers * layer + norm + vocabulary * (tied ? 1 : 2);
}

/**
 * Makes room for all weights.
 *
 * @param tied whether `lm_head` and the embedding are one matrix in the checkpoint
 * @param head the format of those two; the layers' when absent
 */
export function allocateWeights(
  gpu: Gpu,
  config: LlamaConfig,
  dtype: StoredDtype,
  tied: boolean,
  head = dtype,
): ModelWeights {
  const { hidden, intermediate, heads, kvHeads, headDim, vocab } = config;
  const before = gpu.allocatedBytes;
  const norm = (name: string): GPUBuffer => gpu.storage(`${name} f32 [${hidden}]`, paddedColumns(hidden) * 4);
  const lanes = laneRows(gpu.capabilities);
  const matrix = (name: string, rows: number, cols: number, quantum?: number): WeightMatrix =>
    allocateMatrix(gpu, name, rows, cols, { dtype, lanes }, quantum);
  const embedding = allocateMatrix(gpu, 'embed_tokens', vocab, hidden, { dtype: head, lanes });
  const lmHead = tied ? embedding : allocateMatrix(gpu, 'lm_head', vocab, hidden, { dtype: head, lanes });
  const finalNorm = norm('final_norm');
  const layers = Array.from({ length: config.layers }, (_, i): LayerWeights => {
    const name = `layers.${i}`;
    return {
      attnNorm: norm(`${name}.attn_norm`),
      qkv: matrix(`${name}.qkv`, (heads + 2 * kvHeads) * headDim, hidden, headDim),
      oProj: matrix(`${name}.o_proj`, hidden, heads * headDim),
      mlpNorm: norm(`${name}.mlp_norm`),
      gateUp: matrix(`${name}.gate_up`, 2 * intermediate, hidden),
      downProj: matrix(`${name}.down_proj`, hidden, intermediate),
    };
  });
  return { dtype, embedding, lmHead, finalNorm, layers, bytes: gpu.allocatedBytes - before };
}
