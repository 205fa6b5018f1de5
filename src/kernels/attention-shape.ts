/** How keys and values are stored. */
export type KvStored = 'f16' | 'f32';

/** The head geometry a kernel is compiled for. */
export interface HeadShape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Tokens of a cache block. */
export const BLOCK_TOKENS = 16;

/** Head dimension as stored in the cache and in the query buffer: padded with zeros to a multiple of 8. */
export function paddedHeadDim(headDim: number): number {
  return Math.ceil(headDim / 8) * 8;
}

/** Bytes of the keys (or of the values) of one block of one layer. */
export function kvBlockBytes({ kvHeads, headDim }: HeadShape, stored: KvStored): number {
  return kvHeads * BLOCK_TOKENS * paddedHeadDim(headDim) * (stored === 'f32' ? 4 : 2);
}

export function headDefines({ heads, kvHeads, headDim }: HeadShape): Record<string, number> {
  return { HEADS: heads, KV_HEADS: kvHeads, HALF: headDim / 2, HDP: paddedHeadDim(headDim) };
}
