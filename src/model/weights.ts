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
import { matrixName as nameOf, type LayerFormats } from './layer-formats.js';

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

const QKV = 'self_attn.qkv';
const O_PROJ = 'self_attn.o_proj.weight';
const GATE_UP = 'mlp.gate_up';
const DOWN_PROJ = 'mlp.down_proj.weight';

const PARTS: Readonly<Record<string, string>> = { qkv: QKV, o_proj: O_PROJ, gate_up: GATE_UP, down_proj: DOWN_PROJ };

/** The matrix of a layer's product, under its name in a checkpoint. @param operation for example `layers.3.qkv` */
export const storedName = (operation: string, layer: number): string =>
  nameOf(layer, PARTS[operation.slice(operation.lastIndexOf('.') + 1)]);

/**
 * Bytes `allocateWeights` will ask for.
 *
 * @param head the format of embedding and `lm_head`
 * @param formats of the layers' matrices that have one of their own
 */
export function weightBytes(
  config: LlamaConfig,
  layout: WeightLayout,
  tied: boolean,
  head = layout.dtype,
  formats: LayerFormats = new Map(),
): number {
  const { hidden, intermediate, heads, kvHeads, headDim, vocab, layers } = config;
  const norm = paddedColumns(hidden) * 4;
  const shapes: [string, number, number][] = [
    [QKV, (heads + 2 * kvHeads) * headDim, hidden],
    [O_PROJ, hidden, heads * headDim],
    [GATE_UP, 2 * intermediate, hidden],
    [DOWN_PROJ, hidden, intermediate],
  ];
  let inLayers = layers * 2 * norm;
  for (const [part, rows, cols] of shapes) {
    for (let layer = 0; layer < layers; layer++) {
      const dtype = formats.get(nameOf(layer, part)) ?? layout.dtype;
      inLayers += storedBytes(rows, cols, { ...layout, dtype });
    }
  }
  const vocabulary = storedBytes(vocab, hidden, { ...layout, dtype: head });
  return inLayers + norm + vocabulary * (tied ? 1 : 2);
}

/**
 * Makes room for all weights.
 *
 * @param tied whether `lm_head` and the embedding are one matrix in the checkpoint
 * @param head the format of those two; the layers' when absent
 * @param formats of the layers' matrices that have one of their own
 */
export function allocateWeights(
  gpu: Gpu,
  config: LlamaConfig,
  dtype: StoredDtype,
  tied: boolean,
  head = dtype,
  formats: LayerFormats = new Map(),
): ModelWeights {
  const { hidden, intermediate, heads, kvHeads, headDim, vocab } = config;
  const before = gpu.allocatedBytes;
  const norm = (name: string): GPUBuffer => gpu.storage(`${name} f32 [${hidden}]`, paddedColumns(hidden) * 4);
  const lanes = laneRows(gpu.capabilities);
  const matrix = (name: string, own: string, rows: number, cols: number, quantum?: number): WeightMatrix =>
    allocateMatrix(gpu, name, rows, cols, { dtype: formats.get(own) ?? dtype, lanes }, quantum);
  const embedding = allocateMatrix(gpu, 'embed_tokens', vocab, hidden, { dtype: head, lanes });
  const lmHead = tied ? embedding : allocateMatrix(gpu, 'lm_head', vocab, hidden, { dtype: head, lanes });
  const finalNorm = norm('final_norm');
  const layers = Array.from({ length: config.layers }, (_, i): LayerWeights => {
    const name = `layers.${i}`;
    return {
      attnNorm: norm(`${name}.attn_norm`),
      qkv: matrix(`${name}.qkv`, nameOf(i, QKV), (heads + 2 * kvHeads) * headDim, hidden, headDim),
      oProj: matrix(`${name}.o_proj`, nameOf(i, O_PROJ), hidden, heads * headDim),
      mlpNorm: norm(`${name}.mlp_norm`),
      gateUp: matrix(`${name}.gate_up`, nameOf(i, GATE_UP), 2 * intermediate, hidden),
      downProj: matrix(`${name}.down_proj`, nameOf(i, DOWN_PROJ), hidden, intermediate),
    };
  });
  return { dtype, embedding, lmHead, finalNorm, layers, bytes: gpu.allocatedBytes - before };
}
