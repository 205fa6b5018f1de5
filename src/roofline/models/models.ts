import type { ModelConfig } from '../../model/config.js';
import { forwardOperations, parameterCount } from '../../model/cost.js';
import { graphOf } from '../../model/families/index.js';
import type { BatchShape, Operation, Precision } from '../../model/operations.js';

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
        list.push({ ...each, layer: next, name: `layers.${next}.${each.part}` });
      }
    }
    return list;
  });
}

/** A dense model of a family that the engine runs: the list it runs. */
export function familyModel(name: string, config: ModelConfig): Model {
  const parameters = parameterCount(config);
  const counts = graphOf(config).segments.map(({ count }) => count);
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
    segments: (batch, precision) => bracketed(forwardOperations(config, batch, precision, { once: true }), ...counts),
    operations: (batch, precision) => forwardOperations(config, batch, precision),
  };
}

/** Divides a list into what comes before the layers, each layer with how often it runs, and what comes after. */
export function bracketed(operations: readonly Operation[], ...counts: readonly number[]): Segment[] {
  const begin = operations.findIndex(({ layer }) => layer !== undefined);
  const end = operations.findLastIndex(({ layer }) => layer !== undefined) + 1;
  return [
    { count: 1, operations: operations.slice(0, begin) },
    ...counts.map((count, i) => ({ count, operations: operations.filter(({ layer }) => layer === i) })),
    { count: 1, operations: operations.slice(end) },
  ];
}
