import { copyIn, writeIn, type KvPart } from '../cache/block-copy.js';
import type { PagedKv } from '../cache/paged-kv.js';
import type { Gpu } from '../gpu/gpu.js';

/** Buffers at most: one is written while others are copied from. */
const SLOTS = 4;

/**
 * Buffers by which keys and values come in, made as they are needed and used again. `writeBuffer` would do, but stages
 * what it is given in memory of its own, which some drivers get from the system anew each time; there its first touch
 * costs twenty times what the copy does. Where all buffers are under way it is what remains, so nobody ever waits.
 */
export class ImportRing {
  /** Mapped, to be written to. */
  readonly #free: GPUBuffer[] = [];
  #made = 0;
  readonly #gpu: Gpu;
  readonly #cache: PagedKv;

  constructor(gpu: Gpu, cache: PagedKv) {
    this.#gpu = gpu;
    this.#cache = cache;
  }

  /** Writes a part into the cache, before whatever is submitted from now on. @param places where its blocks shall lie */
  write(part: KvPart, places: readonly number[], bytes: Uint8Array): void {
    const slot = this.#take(bytes.length);
    if (slot === undefined) return writeIn(this.#gpu, this.#cache, part, places, bytes);
    new Uint8Array(slot.getMappedRange(0, bytes.length)).set(bytes);
    slot.unmap();
    const encoder = this.#gpu.device.createCommandEncoder();
    copyIn(encoder, this.#cache, part, places, slot);
    this.#gpu.queue.submit([encoder.finish()]);
    slot.mapAsync(GPUMapMode.WRITE).then(
      () => this.#free.push(slot),
      () => this.#drop(slot), // the device is lost or disposed of
    );
  }

  #take(bytes: number): GPUBuffer | undefined {
    const at = this.#free.findIndex(({ size }) => size >= bytes);
    if (at >= 0) return this.#free.splice(at, 1)[0];
    if (this.#made === SLOTS) {
      const small = this.#free.pop();
      if (small === undefined) return undefined;
      this.#drop(small);
    }
    this.#made++;
    return this.#gpu.mappedBuffer('keys and values on their way in', bytes);
  }

  #drop(slot: GPUBuffer): void {
    this.#made--;
    this.#gpu.free(slot);
  }
}
