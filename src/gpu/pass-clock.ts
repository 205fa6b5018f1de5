import type { Gpu } from './gpu.js';
import { passTimes, type StampedTime } from './stamps.js';

/** When a pass ran, in nanoseconds of the device's clock after the first one began. */
export type PassTime = StampedTime;

/** Times whole passes over many submissions, so as to see whether the device waits between them. */
export class PassClock {
  readonly #queries: GPUQuerySet;
  #passes = 0;
  readonly #gpu: Gpu;

  /** @param capacity passes timed; later ones are not @throws Error where the adapter has no timestamps */
  constructor(
    gpu: Gpu,
    readonly capacity: number,
  ) {
    this.#gpu = gpu;
    if (!gpu.capabilities.timestamps) throw new Error(`${gpu.name} has no timestamp queries`);
    this.#queries = gpu.device.createQuerySet({ type: 'timestamp', count: 2 * capacity });
  }

  /** What the next pass is to be begun with; undefined when enough have been timed. */
  next(): GPUComputePassTimestampWrites | undefined {
    if (this.#passes === this.capacity) return undefined;
    const at = 2 * this.#passes++;
    return { querySet: this.#queries, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 };
  }

  /** Ends the clock, whether or not it was read. */
  end(): void {
    this.#queries.destroy();
  }

  /** The times so far; call when all timed passes have been submitted. */
  async read(): Promise<PassTime[]> {
    const count = this.#passes;
    if (count === 0) return [];
    const bytes = 16 * count;
    const resolved = this.#gpu.buffer('pass times', bytes, GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC);
    const encoder = this.#gpu.device.createCommandEncoder();
    encoder.resolveQuerySet(this.#queries, 0, 2 * count, resolved, 0);
    this.#gpu.queue.submit([encoder.finish()]);
    const stamps = new BigUint64Array(await this.#gpu.read(resolved));
    this.#gpu.free(resolved);
    return passTimes(stamps.subarray(0, 2 * count));
  }
}
