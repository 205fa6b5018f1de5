import type { RunningGeneration } from './generation.js';

/**
 * What a generation waits for: gets the prompt's ids, and a signal that is aborted when the generation ends meanwhile.
 */
export type Before = (promptIds: readonly number[], signal: AbortSignal) => Promise<unknown>;

/** Generations that wait for something of their own before they are queued. */
export class Pending {
  readonly #waiting = new Set<RunningGeneration>();

  get size(): number {
    return this.#waiting.size;
  }

  /** Queues a generation when `before` has settled, however it did. */
  add(generation: RunningGeneration, before: Before, queue: (generation: RunningGeneration) => void): void {
    const ended = new AbortController();
    this.#waiting.add(generation);
    const end = (): void => {
      this.#waiting.delete(generation);
      ended.abort();
    };
    generation.result.then(end, end);
    const settled = (): void => {
      // Not there any more where the generation has ended.
      if (this.#waiting.delete(generation) && !generation.done) queue(generation);
    };
    before(generation.promptIds, ended.signal).then(settled, settled);
  }

  abort(): void {
    for (const generation of [...this.#waiting]) generation.finish('abort');
  }
}
