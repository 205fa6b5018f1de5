const AT_ONCE = Promise.resolve();

/** Items from several senders in the order in which they came, for one reader who may be slower. */
export class Mailbox<T> implements AsyncIterable<T> {
  #items: T[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #error: unknown;
  #dropped = false;

  push(item: T): void {
    if (this.#ended) return;
    this.#items.push(item);
    this.#wake?.();
  }

  /** No more items will come; with an error, the reader is told after those there are. */
  end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#wake?.();
  }

  /** Tells the reader at once: what it has not read yet is dropped. */
  drop(error: unknown): void {
    this.#ended = true;
    this.#dropped = true;
    this.#error = error;
    this.#items = [];
    this.#wake?.();
  }

  /**
   * Resolves once there is something to take, or the end; undefined where that is so already. Senders hand over what they
   * have in microtasks, up to three for an item, so the reader is called when none has come for as many: what is ready
   * together is taken together.
   */
  more(): Promise<void> | undefined {
    return this.#items.length > 0 || this.#ended ? undefined : this.#wait();
  }

  /** All that have come since; undefined at the end. */
  take(): readonly T[] | undefined {
    const items = this.#items;
    if (items.length === 0 && this.#ended) {
      if (this.#error !== undefined) throw this.#error as Error;
      return undefined;
    }
    this.#items = [];
    return items;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (;;) {
      await this.more();
      const items = this.take();
      if (items === undefined) return;
      for (const item of items) {
        if (this.#dropped) break;
        yield item;
      }
    }
  }

  async #wait(): Promise<void> {
    await new Promise<void>((resolve) => (this.#wake = resolve));
    for (let before = 0; before < this.#items.length;) {
      before = this.#items.length;
      await AT_ONCE;
      await AT_ONCE;
      await AT_ONCE;
    }
  }
}
