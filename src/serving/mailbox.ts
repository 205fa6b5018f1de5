/** Behind the microtasks that are due; where there is no such place, at once. */
const behind: (then: () => void) => void =
  typeof process === 'object' && typeof process.nextTick === 'function' ? process.nextTick : (then) => then();

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
    this.#call();
  }

  /** No more items will come; with an error, the reader is told after those there are. */
  end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#call();
  }

  /** Tells the reader at once: what it has not read yet is dropped. */
  drop(error: unknown): void {
    this.#ended = true;
    this.#dropped = true;
    this.#error = error;
    this.#items = [];
    this.#call();
  }

  /**
   * Resolves once there is something to take, or the end; undefined where that is so already. The reader is called when
   * all that is ready together is here.
   */
  more(): Promise<void> | undefined {
    if (this.#items.length > 0 || this.#ended) return undefined;
    return new Promise((resolve) => (this.#wake = resolve));
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

  /** Senders hand over what they have in microtasks. */
  #call(): void {
    const wake = this.#wake;
    if (wake === undefined) return;
    this.#wake = undefined;
    behind(wake);
  }
}
