import type { Gpu } from '../../src/gpu/gpu.js';
import {
  BLOCK_TOKENS,
  kvBlockBytes,
  paddedHeadDim,
  type HeadShape,
  type KvStored,
} from '../../src/kernels/attention/shape.js';
import { random } from '../reference/compare.js';
import { storageOf } from './buffers.js';
import { decode, encode, rounded, storedArray } from './weights.js';

/**
 * Each head's elements in the order the kernels keep queries and keys: element i of the first half and element i of
 * the second, which a rotation mixes, become neighbours.
 */
export function pairedHeads(x: Float64Array, headDim: number): Float64Array {
  const half = headDim / 2;
  return x.map((_, at) => {
    const i = at % headDim;
    return x[at - i + (i % 2) * half + Math.floor(i / 2)];
  });
}

/** Where the blocks of some sequences lie in the cache: anywhere, in any order. */
export interface Placement {
  readonly blocks: readonly (readonly number[])[];
  /** Blocks of the whole cache; some belong to nobody. */
  readonly total: number;
  readonly blocksPerSlot: number;
  /** Position of a token in the cache: block * 16 + offset. */
  kvIndex(sequence: number, position: number): number;
}

export function scattered(lengths: readonly number[], seed = 1): Placement {
  const counts = lengths.map((length) => Math.ceil(length / BLOCK_TOKENS));
  const total = counts.reduce((sum, count) => sum + count, 0) + 3;
  const rng = random(seed);
  const order = Array.from({ length: total }, (_, block) => block);
  for (let i = total - 1; i > 0; i--) {
    const j = rng.integer(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  const blocks = counts.map((count) => order.splice(0, count));
  return {
    blocks,
    total,
    blocksPerSlot: Math.max(...counts) + 1,
    kvIndex: (sequence, position) =>
      blocks[sequence][Math.floor(position / BLOCK_TOKENS)] * BLOCK_TOKENS + (position % BLOCK_TOKENS),
  };
}

/** Block tables [slot][blocksPerSlot]; sequence i has slot `slots[i]`. Entries in no use name no block. */
export function blockTables(gpu: Gpu, placement: Placement, slots: readonly number[]): GPUBuffer {
  const words = new Uint32Array((Math.max(...slots) + 1) * placement.blocksPerSlot).fill(0xffff);
  slots.forEach((slot, i) => words.set(placement.blocks[i], slot * placement.blocksPerSlot));
  return storageOf(gpu, 'block tables', words);
}

const NAN_BITS = { f16: 0x7e01, f32: 0x7fc0dead } as const;

/** Which head of the cache a place has: [block][kv head][16 tokens]. */
function cacheRow({ kvHeads }: HeadShape, index: number, head: number): number {
  return (Math.floor(index / BLOCK_TOKENS) * kvHeads + head) * BLOCK_TOKENS + (index % BLOCK_TOKENS);
}

/** Where in bytes a head of a cache of int8 has its quants and its scale. */
function quantsAt(padded: number, row: number): { quants: number; scale: number } {
  const begin = Math.floor(row / BLOCK_TOKENS) * BLOCK_TOKENS * (padded + 4);
  const token = row % BLOCK_TOKENS;
  return { quants: begin + token * padded, scale: begin + BLOCK_TOKENS * padded + 4 * token };
}

/** Quants of a head and their scale, rounded to f32, the largest of them 127. */
function quantize(head: Float64Array): { quants: Int8Array; scale: number } {
  const scale = Math.fround(head.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127);
  return { quants: Int8Array.from(head, (value) => (scale === 0 ? 0 : Math.round(value / scale))), scale };
}

/** Keys or values as they are after being stored, so that a comparison sees the kernels' errors only. */
export function storedHeads(values: Float64Array, headDim: number, stored: KvStored): Float64Array {
  if (stored !== 'int8') return rounded(values, stored);
  const result = new Float64Array(values.length);
  for (let at = 0; at < values.length; at += headDim) {
    const { quants, scale } = quantize(values.subarray(at, at + headDim));
    quants.forEach((quant, i) => (result[at + i] = quant * scale));
  }
  return result;
}

/** The keys or the values of one layer: NaN wherever a head's elements lie, zero in the padding. */
function emptyCache(shape: HeadShape, stored: KvStored, blocks: number): ArrayBuffer {
  const bytes = blocks * kvBlockBytes(shape, stored);
  const padded = paddedHeadDim(shape.headDim);
  if (stored === 'int8') {
    const cache = new ArrayBuffer(bytes);
    for (let row = 0; row < blocks * shape.kvHeads * BLOCK_TOKENS; row++) {
      const { quants, scale } = quantsAt(padded, row);
      new Int8Array(cache, quants, shape.headDim).fill(77);
      new Uint32Array(cache, scale, 1)[0] = NAN_BITS.f32;
    }
    return cache;
  }
  const words = storedArray(stored, bytes / (stored === 'f32' ? 4 : 2));
  for (let i = 0; i < words.length; i++) if (i % padded < shape.headDim) words[i] = NAN_BITS[stored];
  return words.buffer;
}

/** @param rows by sequence, [tokens, kvHeads, headDim], in the order they are to be stored */
export function cacheOf(
  gpu: Gpu,
  shape: HeadShape,
  stored: KvStored,
  placement: Placement,
  rows: readonly Float64Array[],
): GPUBuffer {
  const cache = emptyCache(shape, stored, placement.total);
  const { kvHeads, headDim } = shape;
  const padded = paddedHeadDim(headDim);
  rows.forEach((values, sequence) => {
    for (let at = 0; at < values.length; at += headDim) {
      const position = Math.floor(at / (kvHeads * headDim));
      const row = cacheRow(shape, placement.kvIndex(sequence, position), Math.floor(at / headDim) % kvHeads);
      const head = values.subarray(at, at + headDim);
      if (stored === 'int8') {
        const { quants, scale } = quantize(head);
        const to = quantsAt(padded, row);
        new Int8Array(cache, to.quants, headDim).set(quants);
        new Float32Array(cache, to.scale, 1)[0] = scale;
      } else {
        const words = stored === 'f32' ? new Uint32Array(cache) : new Uint16Array(cache);
        head.forEach((value, i) => (words[row * padded + i] = encode(value, stored)));
      }
    }
  });
  return storageOf(gpu, 'cache', new Uint32Array(cache));
}

/** The numbers stored at a place of the cache, [kvHeads, padded head dim], in stored order. */
export function cachedRow(bytes: ArrayBuffer, shape: HeadShape, stored: KvStored, index: number): Float64Array {
  const padded = paddedHeadDim(shape.headDim);
  const row = (i: number): number => cacheRow(shape, index, Math.floor(i / padded));
  if (stored === 'int8') {
    const scales = cachedScales(bytes, shape, index);
    const quants = new Int8Array(bytes);
    return Float64Array.from({ length: shape.kvHeads * padded }, (_, i) => {
      return quants[quantsAt(padded, row(i)).quants + (i % padded)] * scales[Math.floor(i / padded)];
    });
  }
  const words = stored === 'f32' ? new Uint32Array(bytes) : new Uint16Array(bytes);
  return Float64Array.from({ length: shape.kvHeads * padded }, (_, i) =>
    decode(words[row(i) * padded + (i % padded)], stored),
  );
}

/** The scales at a place of a cache of int8, one for each KV head. */
export function cachedScales(bytes: ArrayBuffer, shape: HeadShape, index: number): Float32Array {
  const padded = paddedHeadDim(shape.headDim);
  const scales = new Float32Array(bytes);
  return Float32Array.from({ length: shape.kvHeads }, (_, head) => {
    return scales[quantsAt(padded, cacheRow(shape, index, head)).scale / 4];
  });
}
