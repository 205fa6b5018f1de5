import type { LlamaConfig } from '../model/config.js';
import {
  forwardOperations,
  parameterCount,
  type BatchShape,
  type Operation,
  type Precision,
} from '../model/operations.js';

/** Operations that run `count` times in a row, as the layers of a model do. */
export interface Segment {
  readonly count: number;
  readonly operations: readonly Operation[];
}

/** What sizing needs to know of a model. */
export interface Model {
  readonly name: string;
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly vocab: number;
  /** Trained parameters, and those one token meets. */
  readonly parameters: number;
  readonly activeParameters: number;
  /** Those of embedding and `lm_head`, which may have a format of their own; not known of every model. */
  readonly headParameters?: number;
  readonly maxPositions: number;
  /** Numbers the cache keeps of a token, over all layers. */
  readonly kvElements: number;
  /** Scales of those numbers, where they are quantised. */
  readonly kvScales: number;
  /** Chips that the cache of a token can be divided among. */
  readonly kvShards: number;
  /** Experts of a layer, those a token goes to, and layers that have them; absent where all are dense. */
  readonly routing?: { readonly experts: number; readonly active: number; readonly layers: number };
  /** The forward pass with equal layers once, each with how often it runs. */
  segments(batch: BatchShape, precision: Precision): Segment[];
  /** The forward pass in full, an operation for each that runs. */
  operations(batch: BatchShape, precision: Precision): Operation[];
}

/** Writes out segments: operations called `layers.<n>....` are numbered on. */
export function expand(segments: readonly Segment[]): Operation[] {
  let next = 0;
  return segments.flatMap(({ count, operations }) => {
    if (operations[0]?.layer === undefined) return [...operations];
    const list: Operation[] = [];
    for (let i = 0; i < count; i++, next++) {
      for (const each of operations) {
        list.push({ ...each, layer: next, name: each.name.replace(/^layers\.\d+/, `layers.${next}`) });
      }
    }
    return list;
  });
}

/** A dense Llama with multi-head or grouped-query attention: the list the engine runs. */
export function llamaModel(name: string, config: LlamaConfig): Model {
  const parameters = parameterCount(config);
  const single = { ...config, layers: 1 };
  return {
    name,
    layers: config.layers,
    hidden: config.hidden,
    heads: config.heads,
    vocab: config.vocab,
    parameters,
    activeParameters: parameters,
    headParameters: config.vocab * config.hidden * (config.tiedEmbeddings ? 1 : 2),
    maxPositions: config.maxPositions,
    kvElements: 2 * config.layers * config.kvHeads * config.headDim,
    kvScales: 2 * config.layers * config.kvHeads,
    kvShards: config.kvHeads,
    segments: (batch, precision) => bracketed(forwardOperations(single, batch, precision), config.layers),
    operations: (batch, precision) => forwardOperations(config, batch, precision),
  };
}

/** Divides a list with one layer into what comes before, the layer, and what comes after. */
export function bracketed(operations: readonly Operation[], layers: number): Segment[] {
  const begin = operations.findIndex(({ layer }) => layer !== undefined);
  const end = operations.findLastIndex(({ layer }) => layer !== undefined) + 1;
  return [
    { count: 1, operations: operations.slice(0, begin) },
    { count: layers, operations: operations.slice(begin, end) },
    { count: 1, operations: operations.slice(end) },
  ];
}
