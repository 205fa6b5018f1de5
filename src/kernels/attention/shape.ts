export const KV_STORED = ['f16', 'f32', 'int8'] as const;
/** How keys and values are stored; int8 with a scale for each head of a token. */
export type KvStored = (typeof KV_STORED)[number];

/** The head geometry a kernel is compiled for. */
export interface HeadShape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Most keys a decode workgroup handles at once; a part of a context is a multiple of it. */
export const DECODE_TILE = 64;

/** Most parts a decoding context is cut into. */
export const MOST_PARTS = 64;

/** Tokens of a cache block. */
export const BLOCK_TOKENS = 16;

/** Head dimension as stored in the cache and in the query buffer: padded with zeros to a multiple of 8. */
export function paddedHeadDim(headDim: number): number {
  return Math.ceil(headDim / 8) * 8;
}

/** Bytes of a number of the cache, and of what a head of a token has beside its numbers. */
const BYTES: Readonly<Record<KvStored, { readonly number: number; readonly scale: number }>> = {
  f16: { number: 2, scale: 0 },
  f32: { number: 4, scale: 0 },
  // f32: two scales of f16 would share a word, which two workgroups that file neighbouring tokens cannot write.
  int8: { number: 1, scale: 4 },
};

/**
 * Bytes of the keys (or of the values) of one block of one layer: [kv head][16 tokens][padded head dim] numbers; of int8
 * the 16 scales of a head follow its 16 tokens.
 */
export function kvBlockBytes({ kvHeads, headDim }: HeadShape, stored: KvStored): number {
  const { number, scale } = BYTES[stored];
  return kvHeads * BLOCK_TOKENS * (paddedHeadDim(headDim) * number + scale);
}

/** Whether keys and values are quantised, which takes a whole head at once. */
export function isQuantizedKv(stored: KvStored): boolean {
  return BYTES[stored].scale > 0;
}

export function kvDefines(stored: KvStored): Record<string, boolean> {
  return {
    // The cache holds f32; f16 where neither is set.
    kv_f32: stored === 'f32',
    // The cache holds quants, with a scale for each head of a token.
    kv_int8: stored === 'int8',
  };
}

export function headDefines({ heads, kvHeads, headDim }: HeadShape): Record<string, number> {
  return {
    // Heads of queries.
    HEADS: heads,
    // Heads of keys, and as many of values.
    KV_HEADS: kvHeads,
    // Pairs of numbers in a head.
    HALF: headDim / 2,
    // Numbers of a head with the zeros behind it.
    HDP: paddedHeadDim(headDim),
  };
}

/** Of a kernel of attention, in which a token sees all before it until it is given a window. */
export function attentionDefines(shape: HeadShape): Record<string, number | boolean> {
  return {
    ...headDefines(shape),
    // A token sees the last of those before it only: `withWindow` sets it.
    window: false,
  };
}
