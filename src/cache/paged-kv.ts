import type { Gpu } from '../gpu/gpu.js';
import { BLOCK_TOKENS, kvBlockBytes, type HeadShape, type KvStored } from '../kernels/attention/shape.js';

/** Keys and values of one layer: blocks as `kvBlockBytes` describes them. */
export interface LayerCache {
  readonly keys: GPUBuffer;
  readonly values: GPUBuffer;
}

/** The GPU memory of the paged cache. Which block belongs to whom is the block pool's matter. */
export interface PagedKv {
  readonly blocks: number;
  readonly stored: KvStored;
  readonly layers: readonly LayerCache[];
  readonly bytes: number;
  /** Of the keys (or of the values) of a block in a layer. */
  readonly blockBytes: number;
}

/** The most blocks one layer's buffer may have on this adapter. */
export function mostBlocks(gpu: Gpu, shape: HeadShape, stored: KvStored): number {
  const limit = Math.min(gpu.capabilities.maxBindingBytes, gpu.capabilities.maxBufferBytes);
  return Math.floor(limit / kvBlockBytes(shape, stored));
}

export function allocatePagedKv(gpu: Gpu, shape: HeadShape, stored: KvStored, layers: number, blocks: number): PagedKv {
  const blockBytes = kvBlockBytes(shape, stored);
  const bytes = blocks * blockBytes;
  const label = `${stored} [${blocks} blocks, ${shape.kvHeads}, ${BLOCK_TOKENS}, ${shape.headDim}]`;
  return {
    blocks,
    stored,
    blockBytes,
    bytes: 2 * bytes * layers,
    layers: Array.from({ length: layers }, (_, layer) => ({
      keys: gpu.storage(`layers.${layer} keys ${label}`, bytes),
      values: gpu.storage(`layers.${layer} values ${label}`, bytes),
    })),
  };
}
