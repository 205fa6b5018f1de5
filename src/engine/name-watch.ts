import type { NameListener } from '../scheduler/block-pool.js';

/** Hands on which blocks' contents can be found to whoever watches. */
export class NameWatch implements NameListener {
  readonly #watchers = new Set<NameListener>();

  /** @returns ends the watch */
  watch(listener: NameListener): () => void {
    this.#watchers.add(listener);
    return () => void this.#watchers.delete(listener);
  }

  published(name: string): void {
    for (const watcher of this.#watchers) watcher.published(name);
  }

  evicted(name: string): void {
    for (const watcher of this.#watchers) watcher.evicted(name);
  }
}
