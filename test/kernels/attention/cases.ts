import type { HeadShape, KvStored } from '../../../src/kernels/attention/shape.js';

/** Head geometries: every padding of the head dimension, and groups of one, two, four and eight query heads. */
export const HEAD_SHAPES: readonly HeadShape[] = [
  { heads: 8, kvHeads: 1, headDim: 8 },
  { heads: 6, kvHeads: 3, headDim: 6 },
  { heads: 2, kvHeads: 2, headDim: 64 },
  { heads: 2, kvHeads: 1, headDim: 80 },
  { heads: 4, kvHeads: 1, headDim: 96 },
  { heads: 4, kvHeads: 2, headDim: 128 },
  { heads: 2, kvHeads: 1, headDim: 256 },
];

/** Geometries to run attention with. How a cache is read depends on few of them, so all but f16 take a few only. */
export const ATTENTION_SHAPES: Readonly<Record<KvStored, readonly HeadShape[]>> = {
  f16: HEAD_SHAPES,
  f32: HEAD_SHAPES.filter(({ headDim }) => [6, 64, 256].includes(headDim)),
  int8: HEAD_SHAPES.filter(({ headDim }) => [6, 80].includes(headDim)),
};

/** Tokens that a chunk of a sequence adds to those it has in the cache. */
export interface Chunk {
  readonly context: number;
  readonly newTokens: number;
}

/** Prefill steps: one token, tails of a tile, a context that ends inside a block, several sequences in one step. */
export const PREFILL_STEPS: readonly (readonly Chunk[])[] = [
  [{ context: 0, newTokens: 1 }],
  [{ context: 0, newTokens: 16 }],
  [
    { context: 0, newTokens: 15 },
    { context: 33, newTokens: 17 },
    { context: 7, newTokens: 33 },
    { context: 64, newTokens: 1 },
  ],
];

/** Decode steps: how many tokens each sequence has, its new one included, and how they are cut. */
export interface DecodeStep {
  readonly contexts: readonly number[];
  readonly splits: number;
  readonly splitTokens: number;
}

export const DECODE_STEPS: readonly DecodeStep[] = [
  { contexts: [1], splits: 1, splitTokens: 64 },
  { contexts: [15, 16, 17], splits: 1, splitTokens: 128 },
  { contexts: [63, 64, 65, 1], splits: 2, splitTokens: 64 },
  { contexts: [127, 129, 128], splits: 2, splitTokens: 128 },
  { contexts: [300, 5, 200], splits: 5, splitTokens: 64 },
  { contexts: [300, 257], splits: 2, splitTokens: 256 },
];

/** Positions at which keys and values are written: the edges of blocks, and far ones. */
export const ROPE_POSITIONS: readonly number[] = [0, 1, 14, 15, 16, 17, 31, 32, 47, 100, 1000];
