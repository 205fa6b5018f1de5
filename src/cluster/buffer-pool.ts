/** Buffers that are kept to be used again, the latest first. */
const KEPT = 4;

/**
 * Buffers of frames that are used again: memory that is touched for the first time costs several times as much as what
 * is done with it.
 */
export class BufferPool {
  readonly #free: Uint8Array<ArrayBuffer>[] = [];

  /** @returns exactly so many bytes, of whatever content */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    const at = this.#free.findLastIndex((each) => each.buffer.byteLength >= bytes);
    if (at < 0) return new Uint8Array(bytes);
    const [found] = this.#free.splice(at, 1);
    return new Uint8Array(found.buffer, 0, bytes);
  }

  /** Takes a buffer of `take` back, of which nothing is read any more. */
  give(bytes: Uint8Array<ArrayBuffer>): void {
    this.#free.push(bytes);
    if (this.#free.length > KEPT) this.#free.shift();
  }
}
