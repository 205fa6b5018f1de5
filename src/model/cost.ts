import type { ModelConfig } from './config.js';
import { graphOf } from './families/index.js';
import { layersOf, vectorsOf, type Value } from './graph.js';
import {
  isPrefill,
  operationShapes,
  phaseOf,
  type BatchSequence,
  type BatchShape,
  type Operation,
  type OperationShape,
  type Precision,
  type Variations,
} from './operations.js';

type Cost = Pick<Operation, 'flops' | 'weightBytes' | 'activationBytes' | 'kvReadBytes' | 'kvWriteBytes'>;

/** Pairs of a query and a key it may see, and keys read, of one layer. */
export interface Seen {
  readonly pairs: number;
  readonly keys: number;
}

/** @param window tokens that a token sees, itself included */
export function seenBy(sequences: readonly BatchSequence[], window = Infinity): Seen {
  let [pairs, keys] = [0, 0];
  for (const { newTokens, context } of sequences) {
    // Of the new tokens, those that see all before them.
    const free = Math.min(newTokens, Math.max(0, window - context));
    pairs += free * context + (free * (free + 1)) / 2 + (newTokens > free ? (newTokens - free) * window : 0);
    keys += Math.min(context, window - 1) + newTokens;
  }
  return { pairs, keys };
}

/** The sizes of a step that all its operations share. */
interface Sizes {
  readonly config: ModelConfig;
  readonly precision: Precision;
  readonly rows: Readonly<Record<OperationShape['rows'], number>>;
  /** Rows whose norms and rotations are part of a product. */
  readonly fused: number;
  readonly seen: (window: number | undefined) => Seen;
  readonly kvRow: number;
}

/**
 * The cost of each operation for one batch.
 *
 * FLOPs: matmul 2mnk; attention 4 x heads x headDim for each pair of a query and a key it may see; the rest counted by
 * element. Weight bytes are read once a step whatever the batch, which is what makes decode bound by memory.
 */
export function forwardOperations(
  config: ModelConfig,
  batch: BatchShape,
  precision: Precision,
  { once }: Pick<Variations, 'once'> = {},
): Operation[] {
  const rows = { tokens: 0, prompts: 0, logits: batch.logitRows };
  for (const sequence of batch.sequences) {
    rows.tokens += sequence.newTokens;
    if (isPrefill(sequence)) rows.prompts += sequence.newTokens;
  }
  const phase = phaseOf(batch);
  const { kvScaleBytes = 0, kvBytes } = precision;
  const windows = new Map<number | undefined, Seen>();
  const sizes: Sizes = {
    config,
    precision,
    rows,
    fused: rows.tokens - rows.prompts,
    kvRow: 2 * config.kvHeads * (config.headDim * kvBytes + kvScaleBytes),
    seen: (window) => {
      const known = windows.get(window) ?? seenBy(batch.sequences, window);
      windows.set(window, known);
      return known;
    },
  };
  const activations = precision.productBytes === 1 ? 'int8' : 'f32';
  return operationShapes(config, { quantizedKv: kvScaleBytes > 0, activations, once }).map((shape): Operation => {
    const m = rows[shape.rows];
    const { flops, weightBytes, activationBytes, kvReadBytes, kvWriteBytes } = costOf(shape, m, sizes);
    // Named one by one: engines copy an object fast where it comes first, and not where it comes last.
    return { ...shape, phase, m, flops, weightBytes, activationBytes, kvReadBytes, kvWriteBytes };
  });
}

function costOf(shape: OperationShape, m: number, sizes: Sizes): Cost {
  const { config, precision, rows, fused, kvRow } = sizes;
  const { heads, headDim } = config;
  const cost = { flops: 0, weightBytes: 0, activationBytes: 0, kvReadBytes: 0, kvWriteBytes: 0 };
  const act = precision.activationBytes;
  const { productBytes = act } = precision;
  // Only in f16 do attention and gates write what products read; 8 bits are made of f32 by operations of their own.
  const spared = productBytes === 2 ? rows.prompts * (act - productBytes) : 0;
  const weight = shape.layer === undefined ? (precision.headBytes ?? precision.weightBytes) : precision.weightBytes;
  switch (shape.kind) {
    case 'embed':
      cost.weightBytes = m * shape.k * weight;
      cost.activationBytes = m * shape.k * act;
      break;
    case 'norm':
      cost.flops = 4 * m * shape.k;
      cost.weightBytes = m === 0 ? 0 : shape.k * 4;
      // They write what products read.
      cost.activationBytes = m * shape.k * (act + productBytes);
      break;
    case 'quantise':
      cost.flops = 2 * m * shape.k;
      cost.activationBytes = m * shape.k * (act + productBytes);
      break;
    case 'matmul': {
      cost.flops = 2 * m * shape.n * shape.k;
      cost.weightBytes = m === 0 ? 0 : shape.n * shape.k * weight;
      // What is added to is read too.
      const written = shape.gates ? shape.n / 2 : shape.adds ? 2 * shape.n : shape.n;
      const prompts = shape.rows === 'logits' ? 0 : rows.prompts;
      cost.activationBytes = m * (shape.k + written) * act - prompts * shape.k * (act - productBytes);
      if (shape.gates) {
        cost.flops += 4 * m * (shape.n / 2);
        cost.activationBytes -= spared * (shape.n / 2);
      }
      const normed = shape.normed === undefined ? 0 : shape.normed.rows === 'all' ? m : fused;
      if (normed > 0) {
        cost.flops += 4 * normed * shape.k;
        cost.weightBytes += shape.k * 4;
      }
      if (fused > 0 && shape.files) {
        cost.flops += fused * rotated(shape, config);
        cost.weightBytes += constantBytes(shape);
        cost.activationBytes -= fused * (shape.n - heads * headDim) * act;
        cost.kvWriteBytes = fused * kvRow;
      }
      break;
    }
    case 'rope':
      cost.flops = m * rotated(shape, config);
      cost.weightBytes = m === 0 ? 0 : constantBytes(shape);
      cost.activationBytes = m * (shape.n + heads * headDim) * act;
      cost.kvWriteBytes = m * kvRow;
      break;
    case 'attention': {
      const { pairs, keys } = sizes.seen(shape.window);
      cost.flops = 4 * shape.k * pairs + 5 * heads * pairs;
      cost.activationBytes = shape.k * (2 * m * act - spared);
      cost.kvReadBytes = keys * kvRow;
      break;
    }
    case 'sample':
      cost.flops = m * shape.k;
      cost.activationBytes = m * shape.k * act;
      break;
  }
  return cost;
}

/** FLOPs of a row: three for each number that is rotated, one for each with a bias, and what else is done to heads. */
function rotated({ works = [], vector }: OperationShape, { heads, kvHeads, headDim }: ModelConfig): number {
  const turned = (heads + kvHeads) * headDim;
  const added = vector?.constants.bias === undefined ? 0 : (heads + 2 * kvHeads) * headDim;
  return works.reduce((sum, { flops }) => sum + flops, 3 * turned + added);
}

const constantBytes = ({ vector }: OperationShape): number =>
  vector === undefined ? 0 : 4 * vector.parts.slice(1).reduce((sum, { rows }) => sum + rows, 0);

/** Number of trained parameters; a tied embedding counts once. */
export function parameterCount(config: ModelConfig): number {
  const graph = graphOf(config);
  const { headDim, vocab, hidden, tiedEmbeddings } = config;
  const of = (values: readonly Value[]): number => {
    const matrices = values.reduce((sum, each) => sum + (each.op === 'project' ? each.n * each.k : 0), 0);
    const vectors = vectorsOf(values, headDim).flatMap(({ parts }) => parts);
    return vectors.reduce((sum, { rows }) => sum + rows, matrices);
  };
  const layers = layersOf(graph).reduce((sum, values) => sum + of(values), 0);
  return layers + of(graph.after) + (tiedEmbeddings ? 0 : vocab * hidden);
}
