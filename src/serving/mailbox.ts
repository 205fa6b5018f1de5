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

  /** All that have come since, at least one; undefined at the end. */
  async take(): Promise<readonly T[] | undefined> {
    while (this.#items.length === 0) {
      if (this.#ended && this.#error !== undefined) throw this.#error as Error;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const items = this.#items;
    this.#items = [];
    return items;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (let items = await this.take(); items !== undefined; items = await this.take()) {
      for (const item of items) {
        if (this.#dropped) break;
        yield item;
      }
    }
  }
}
