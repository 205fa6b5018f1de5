import type { Gpu } from './gpu.js';
import { passTimes, type StampedTime } from './stamps.js';

/** GPU time of one operation, in nanoseconds of the device's clock; none begins before the one before it ended. */
export interface OperationTime extends StampedTime {
  readonly name: string;
}

/**
 * Times operations with timestamp queries, each in a compute pass of its own. Passes cost a little by themselves, so
 * the sum over a profiled step is somewhat more than the step takes unprofiled.
 */
export class Profiler {
  readonly #names: string[] = [];
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #readable: GPUBuffer;
  readonly #gpu: Gpu;

  /** @param capacity most operations in one submission @throws Error where the adapter has no timestamps */
  constructor(
    gpu: Gpu,
    readonly capacity: number,
  ) {
    this.#gpu = gpu;
    if (!gpu.capabilities.timestamps) throw new Error(`${gpu.name} has no timestamp queries`);
    const bytes = capacity * 16;
    this.#queries = gpu.device.createQuerySet({ type: 'timestamp', count: capacity * 2 });
    this.#resolved = gpu.buffer('timestamps', bytes, GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC);
    this.#readable = gpu.buffer('timestamps readback', bytes, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  }

  /** Opens a pass whose GPU time is booked under `name`. End it before opening the next. */
  begin(encoder: GPUCommandEncoder, name: string): GPUComputePassEncoder {
    const at = this.#names.push(name) - 1;
    if (at >= this.capacity) throw new Error(`more than ${this.capacity} operations in one profiled submission`);
    const timestampWrites = {
      querySet: this.#queries,
      beginningOfPassWriteIndex: 2 * at,
      endOfPassWriteIndex: 2 * at + 1,
    };
    return encoder.beginComputePass({ label: name, timestampWrites });
  }

  /** Records the copies; call once, after the last pass and before submitting. */
  finish(encoder: GPUCommandEncoder): void {
    const count = this.#names.length;
    if (count === 0) return;
    encoder.resolveQuerySet(this.#queries, 0, 2 * count, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#readable, 0, 16 * count);
  }

  /** The times of the submission, in order; then ready for the next. Call after submitting. */
  async read(): Promise<OperationTime[]> {
    const names = this.#names.splice(0);
    if (names.length === 0) return [];
    await this.#readable.mapAsync(GPUMapMode.READ, 0, 16 * names.length);
    const stamps = new BigUint64Array(this.#readable.getMappedRange(0, 16 * names.length).slice(0));
    this.#readable.unmap();
    const times = passTimes(stamps);
    return names.map((name, i) => ({ name, ...times[i] }));
  }

  destroy(): void {
    this.#queries.destroy();
    this.#gpu.free(this.#resolved);
    this.#gpu.free(this.#readable);
  }
}
