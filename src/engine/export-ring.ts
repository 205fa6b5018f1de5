import type { Gpu } from '../gpu/gpu.js';

/** Most buffers that one prompt has under way: one is read while another is filled. */
export const EXPORTS_UNDER_WAY = 3;

/** Buffers that keys and values are copied to on their way to the host; made as they are needed, and used again. */
export class ExportRing {
  readonly #free: GPUBuffer[] = [];

  /** @param bytes of a buffer */
  readonly #gpu: Gpu;

  constructor(
    gpu: Gpu,
    readonly bytes: number,
  ) {
    this.#gpu = gpu;
  }

  take(): GPUBuffer {
    return (
      this.#free.pop() ??
      this.#gpu.buffer(
        'keys and values on their way out',
        this.bytes,
        GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
      )
    );
  }

  /** Takes a buffer back, mapped or about to be. */
  give(buffer: GPUBuffer): void {
    buffer.unmap();
    this.#free.push(buffer);
  }
}
