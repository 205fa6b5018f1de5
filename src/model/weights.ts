import type { Gpu } from '../gpu/gpu.js';
import {
  allocateMatrix,
  laneRows,
  storedBytes,
  type StoredDtype,
  type WeightLayout,
  type WeightMatrix,
} from '../kernels/weights.js';
import type { ModelConfig } from './config.js';
import { graphOf } from './families/index.js';
import { isProject, layersOf, vectorsOf, type Value } from './graph.js';
import type { LayerFormats } from './layer-formats.js';
import { matrixName, partName } from './matrix-names.js';

/** Weights of one layer as the kernels want them, by the names of its operations. */
export interface LayerWeights {
  /** Of `qkv`: queries, keys, values; the two halves of a rotary pair are neighbours. Of `gate_up`: gate 0, up 0, ... */
  readonly matrices: Readonly<Record<string, WeightMatrix>>;
  /** Of norms, with the constants of the products behind them (`vectorsOf`), in f32. */
  readonly vectors: Readonly<Record<string, GPUBuffer>>;
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

/**
 * Bytes `allocateWeights` will ask for.
 *
 * @param head the format of embedding and `lm_head`
 * @param formats of the layers' matrices that have one of their own
 */
export function weightBytes(
  config: ModelConfig,
  layout: WeightLayout,
  tied: boolean,
  head = layout.dtype,
  formats: LayerFormats = new Map(),
): number {
  const { vocab, hidden, headDim } = config;
  const graph = graphOf(config);
  const vectors = (values: readonly Value[]): number =>
    4 * vectorsOf(values, headDim).reduce((sum, { length }) => sum + length, 0);
  const inLayers = layersOf(graph).reduce((total, values, layer) => {
    const matrices = values.filter(isProject).reduce((sum, each) => {
      const dtype = formats.get(matrixName(layer, partName(config, each))) ?? layout.dtype;
      return sum + storedBytes(each.n, each.k, { ...layout, dtype });
    }, 0);
    return total + matrices + vectors(values);
  }, 0);
  const vocabulary = storedBytes(vocab, hidden, { ...layout, dtype: head });
  return inLayers + vectors(graph.after) + vocabulary * (tied ? 1 : 2);
}

export interface WeightFormats {
  /** Of the layers' matrices. */
  readonly dtype: StoredDtype;
  /** Whether `lm_head` and the embedding are one matrix in the checkpoint. */
  readonly tied: boolean;
  /** The format of those two; the layers' when absent. */
  readonly head?: StoredDtype;
  /** Of the layers' matrices that have one of their own. */
  readonly formats?: LayerFormats;
}

/** Makes room for all weights. */
export function allocateWeights(
  gpu: Gpu,
  config: ModelConfig,
  { dtype, tied, head = dtype, formats = new Map() }: WeightFormats,
): ModelWeights {
  const { hidden, headDim, vocab } = config;
  const before = gpu.allocatedBytes;
  const lanes = laneRows(gpu.capabilities);
  const graph = graphOf(config);
  const vectors = (values: readonly Value[], prefix = ''): [string, GPUBuffer][] =>
    vectorsOf(values, headDim).map(({ norm: { name, width }, length }) => [
      name,
      gpu.storage(`${prefix}${name} f32 [${length === width ? width : `${width} of ${length}`}]`, 4 * length),
    ]);
  const embedding = allocateMatrix(gpu, 'embed_tokens', { rows: vocab, cols: hidden }, { dtype: head, lanes });
  const lmHead = tied
    ? embedding
    : allocateMatrix(gpu, 'lm_head', { rows: vocab, cols: hidden }, { dtype: head, lanes });
  const [[, finalNorm]] = vectors(graph.after);
  const layers = layersOf(graph).map((values, i): LayerWeights => {
    const prefix = `layers.${i}.`;
    const matrices = values.filter(isProject).map((each): [string, WeightMatrix] => {
      const own = formats.get(matrixName(i, partName(config, each))) ?? dtype;
      // A head is not cut in two.
      const rowQuantum = each.from.some(({ rotates }) => rotates) ? headDim : undefined;
      const size = { rows: each.n, cols: each.k, rowQuantum };
      return [each.name, allocateMatrix(gpu, `${prefix}${each.name}`, size, { dtype: own, lanes })];
    });
    return { matrices: Object.fromEntries(matrices), vectors: Object.fromEntries(vectors(values, prefix)) };
  });
  return { dtype, embedding, lmHead, finalNorm, layers, bytes: gpu.allocatedBytes - before };
}
