/**
 * Which blocks of the paged cache are free, and how many sequences hold each. Pure bookkeeping: the scheduler and a
 * simulator use it alike, and nothing here knows of a GPU.
 */
export class BlockPool {
  readonly #free: number[] = [];
  readonly #references: Uint32Array;

  /** @param blocks number of blocks, each of 16 tokens */
  constructor(readonly blocks: number) {
    this.#references = new Uint32Array(blocks);
    for (let block = blocks - 1; block >= 0; block--) this.#free.push(block);
  }

  get free(): number {
    return this.#free.length;
  }

  /** A block held once, or undefined when none is free. */
  allocate(): number | undefined {
    const block = this.#free.pop();
    if (block !== undefined) this.#references[block] = 1;
    return block;
  }

  /** One more holder of a block that is held already. */
  share(block: number): void {
    if (this.#references[block] === 0) throw new Error(`block ${block} is free and cannot be shared`);
    this.#references[block]++;
  }

  /** Gives one hold back; the last one frees the block. */
  release(block: number): void {
    if (this.#references[block] === 0) throw new Error(`block ${block} was released more often than it was taken`);
    if (--this.#references[block] === 0) this.#free.push(block);
  }
}

/** Blocks that `tokens` tokens take. */
export function blocksFor(tokens: number, blockTokens: number): number {
  return Math.ceil(tokens / blockTokens);
}
