import type { Gpu } from '../gpu/gpu.js';
import type { PagedKv } from './paged-kv.js';

/**
 * Keys and values of some blocks of a sequence in some layers. As bytes: a layer after the other, of each the keys of
 * all blocks, then their values, as they lie in the cache.
 */
export interface KvPart {
  /** The first block, counted from the sequence's beginning. */
  readonly firstBlock: number;
  readonly blocks: number;
  readonly firstLayer: number;
  readonly layers: number;
}

type CacheShape = Pick<PagedKv, 'blockBytes' | 'layers'>;

export function partBytes({ blockBytes }: Pick<PagedKv, 'blockBytes'>, { blocks, layers }: KvPart): number {
  return 2 * layers * blocks * blockBytes;
}

/** The next part of [begin, end) that `bytes` hold, of all layers where a block of them does. @param layer to begin at */
export function nextPart(cache: CacheShape, begin: number, end: number, layer: number, bytes: number): KvPart {
  const all = cache.layers.length;
  const whole = Math.floor(bytes / (2 * all * cache.blockBytes));
  if (whole >= 1) {
    return { firstBlock: begin, blocks: Math.min(end - begin, whole), firstLayer: 0, layers: all };
  }
  const layers = Math.max(1, Math.floor(bytes / (2 * cache.blockBytes)));
  return { firstBlock: begin, blocks: 1, firstLayer: layer, layers: Math.min(layers, all - layer) };
}

/** Calls for each run of neighbouring places: buffer, its byte, the part's byte, how many bytes. */
function eachRun(
  cache: CacheShape,
  { firstLayer, layers }: KvPart,
  places: readonly number[],
  copy: (buffer: GPUBuffer, at: number, within: number, bytes: number) => void,
): void {
  const { blockBytes } = cache;
  let within = 0;
  for (const { keys, values } of cache.layers.slice(firstLayer, firstLayer + layers)) {
    for (const buffer of [keys, values]) {
      for (let from = 0; from < places.length;) {
        let run = 1;
        while (places[from + run] === places[from] + run) run++;
        copy(buffer, places[from] * blockBytes, within, run * blockBytes);
        within += run * blockBytes;
        from += run;
      }
    }
  }
}

/**
 * Records the copy of a part out of the cache.
 *
 * @param places where its blocks lie
 * @param to a buffer of at least `partBytes`
 */
export function copyOut(
  encoder: GPUCommandEncoder,
  cache: CacheShape,
  part: KvPart,
  places: readonly number[],
  to: GPUBuffer,
): void {
  eachRun(cache, part, places, (buffer, at, within, bytes) =>
    encoder.copyBufferToBuffer(buffer, at, to, within, bytes),
  );
}

/**
 * Records the copy of a part into the cache.
 *
 * @param places where its blocks shall lie
 * @param from a buffer that begins with the part's bytes
 */
export function copyIn(
  encoder: GPUCommandEncoder,
  cache: CacheShape,
  part: KvPart,
  places: readonly number[],
  from: GPUBuffer,
): void {
  eachRun(cache, part, places, (buffer, at, within, bytes) =>
    encoder.copyBufferToBuffer(from, within, buffer, at, bytes),
  );
}

/** Writes a part into the cache, before whatever is submitted from now on. @param places where its blocks shall lie */
export function writeIn(gpu: Gpu, cache: CacheShape, part: KvPart, places: readonly number[], bytes: Uint8Array): void {
  const { buffer, byteOffset } = bytes as Uint8Array<ArrayBuffer>;
  eachRun(cache, part, places, (into, at, within, length) =>
    gpu.queue.writeBuffer(into, at, buffer, byteOffset + within, length),
  );
}
