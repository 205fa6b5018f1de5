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
  readonly dtype: StoredDtype;
  readonly embedding: WeightMatrix;
  /** The same object as `embedding` when the two are tied. */
  readonly lmHead: WeightMatrix;
  readonly finalNorm: GPUBuffer;
  readonly layers: readonly LayerWeights[];
  readonly bytes: number;
}

/** Bytes `allocateWeights` will ask for. */
export function weightBytes(config: LlamaConfig, layout: WeightLayout, tied: boolean): number {
  const { hidden, intermediate, heads, kvHeads, headDim, vocab, layers } = config;
  const norm = paddedColumns(hidden) * 4;
  const layer =
    2 * norm +
    storedBytes((heads + 2 * kvHeads) * headDim, hidden, layout) +
    storedBytes(hidden, heads * headDim, layout) +
    storedBytes(2 * intermediate, hidden, layout) +
    storedBytes(hidden, intermediate, layout);
  return layers * layer + norm + storedBytes(vocab, hidden, layout) * (tied ? 1 : 2);
}

/** Makes room for all weights. @param tied whether `lm_head` and the embedding are one matrix in the checkpoint */
export function allocateWeights(gpu: Gpu, config: LlamaConfig, dtype: StoredDtype, tied: boolean): ModelWeights {
  const { hidden, intermediate, heads, kvHeads, headDim, vocab } = config;
  const before = gpu.allocatedBytes;
  const norm = (name: string): GPUBuffer => gpu.storage(`${name} f32 [${hidden}]`, paddedColumns(hidden) * 4);
  const layout = { dtype, lanes: laneRows(gpu.capabilities) };
  const matrix = (name: string, rows: number, cols: number, quantum?: number): WeightMatrix =>
    allocateMatrix(gpu, name, rows, cols, layout, quantum);
  const embedding = matrix('embed_tokens', vocab, hidden);
  const lmHead = tied ? embedding : matrix('lm_head', vocab, hidden);
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
