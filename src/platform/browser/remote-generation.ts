import type { Generation, GenerationChunk, GenerationResult } from '../../engine/api.js';

/** A generation that runs in another thread. */
export class RemoteGeneration implements Generation {
  readonly #chunks: GenerationChunk[] = [];
  #wake: () => void = () => undefined;
  #ended = false;
  readonly #control = new AbortController();
  readonly result: Promise<GenerationResult>;

  /**
   * @param start begins it: calls back with each chunk, ends it when the signal says so
   * @param signal the caller's own
   */
  constructor(
    start: (onPart: (chunk: GenerationChunk) => void, signal: AbortSignal) => Promise<GenerationResult>,
    signal: AbortSignal | undefined,
  ) {
    const abort = (): void => this.#control.abort();
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
    this.result = start((chunk) => {
      this.#chunks.push(chunk);
      this.#wake();
    }, this.#control.signal).finally(() => {
      signal?.removeEventListener('abort', abort);
      this.#ended = true;
      this.#wake();
    });
    // Whoever only iterates sees the error there.
    this.result.catch(() => undefined);
  }

  /** Yields chunks as they come. Leaving the loop early aborts the generation. */
  async *[Symbol.asyncIterator](): AsyncIterator<GenerationChunk> {
    try {
      for (let next = 0; ;) {
        if (next < this.#chunks.length) yield this.#chunks[next++];
        else if (this.#ended) {
          await this.result;
          return;
        } else await this.#change();
      }
    } finally {
      if (!this.#ended) this.#control.abort();
    }
  }

  /** Resolves at the next chunk or at the end, for as many as iterate. */
  #change(): Promise<void> {
    const before = this.#wake;
    return new Promise((resolve) => {
      this.#wake = () => {
        before();
        this.#wake = () => undefined;
        resolve();
      };
    });
  }
}
