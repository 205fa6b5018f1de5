import type { Gpu } from '../../src/gpu/gpu.js';
import {
  BLOCK_TOKENS,
  kvBlockBytes,
  paddedHeadDim,
  type HeadShape,
  type KvStored,
} from '../../src/kernels/attention-shape.js';
import { random } from '../reference/compare.js';
import { storageOf } from './buffers.js';
import { decode, encode, storedArray } from './weights.js';

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

function cacheAt(shape: HeadShape, index: number, head: number): number {
  const block = Math.floor(index / BLOCK_TOKENS);
  return ((block * shape.kvHeads + head) * BLOCK_TOKENS + (index % BLOCK_TOKENS)) * paddedHeadDim(shape.headDim);
}

/** The keys or the values of one layer: NaN wherever a head's elements lie, zero in the padding. */
function emptyCache(shape: HeadShape, stored: KvStored, blocks: number) {
  const words = storedArray(stored, (blocks * kvBlockBytes(shape, stored)) / (stored === 'f32' ? 4 : 2));
  const padded = paddedHeadDim(shape.headDim);
  for (let i = 0; i < words.length; i++) if (i % padded < shape.headDim) words[i] = NAN_BITS[stored];
  return words;
}

/** @param rows by sequence, [tokens, kvHeads, headDim], in the order they are to be stored */
export function cacheOf(
  gpu: Gpu,
  shape: HeadShape,
  stored: KvStored,
  placement: Placement,
  rows: readonly Float64Array[],
): GPUBuffer {
  const words = emptyCache(shape, stored, placement.total);
  const { kvHeads, headDim } = shape;
  rows.forEach((values, sequence) => {
    for (let at = 0; at < values.length; at++) {
      const position = Math.floor(at / (kvHeads * headDim));
      const head = Math.floor(at / headDim) % kvHeads;
      words[cacheAt(shape, placement.kvIndex(sequence, position), head) + (at % headDim)] = encode(values[at], stored);
    }
  });
  return storageOf(gpu, 'cache', words);
}

/** The numbers stored at a place of the cache, [kvHeads, padded head dim], in stored order. */
export function cachedRow(bytes: ArrayBuffer, shape: HeadShape, stored: KvStored, index: number): Float64Array {
  const words = stored === 'f32' ? new Uint32Array(bytes) : new Uint16Array(bytes);
  const padded = paddedHeadDim(shape.headDim);
  return Float64Array.from({ length: shape.kvHeads * padded }, (_, i) =>
    decode(words[cacheAt(shape, index, Math.floor(i / padded)) + (i % padded)], stored),
  );
}
