/** Told which contents can be found, as that changes. */
export interface NameListener {
  published(name: string): void;
  evicted(name: string): void;
}

/**
 * Which blocks of the paged cache are free, how many sequences hold each, and what the full ones contain. Pure
 * bookkeeping: the scheduler and a simulator use it alike, and nothing here knows of a GPU.
 *
 * A block whose content has a name stays findable after its last holder has let go, until the memory is wanted: the
 * block unused for longest goes first.
 */
export class BlockPool {
  readonly #free: number[];
  readonly #references: Uint32Array;
  readonly #named: Map<string, number>;
  readonly #names: (string | undefined)[];
  /** Blocks nobody holds whose content is kept, the one unused for longest first. */
  readonly #kept: Set<number>;
  readonly #listener: NameListener | undefined;

  /**
   * @param blocks number of blocks, each of 16 tokens
   * @param like books to begin with a copy of; by default all blocks are free
   */
  constructor(
    readonly blocks: number,
    listener?: NameListener,
    like?: BlockPool,
  ) {
    this.#listener = listener;
    this.#free = like ? like.#free.slice() : Array.from({ length: blocks }, (_, at) => blocks - 1 - at);
    this.#references = like ? like.#references.slice() : new Uint32Array(blocks);
    this.#named = new Map(like && like.#named);
    this.#names = like ? like.#names.slice() : new Array<string | undefined>(blocks).fill(undefined);
    this.#kept = new Set(like && like.#kept);
  }

  /** Blocks that can be allocated: those nobody holds. */
  get free(): number {
    return this.#free.length + this.#kept.size;
  }

  /** Those of the free blocks whose content is kept. */
  get kept(): number {
    return this.#kept.size;
  }

  /** A block held once, or undefined when none is free. */
  allocate(): number | undefined {
    const block = this.#free.pop() ?? this.#evict();
    if (block !== undefined) this.#references[block] = 1;
    return block;
  }

  /** One more holder of a block that is held already, or whose content is kept. */
  share(block: number): void {
    if (this.#references[block] === 0 && !this.#kept.delete(block)) {
      throw new Error(`block ${block} is free and cannot be shared`);
    }
    this.#references[block]++;
  }

  /** Gives one hold back; the last one frees the block. */
  release(block: number): void {
    if (this.#references[block] === 0) throw new Error(`block ${block} was released more often than it was taken`);
    if (--this.#references[block] > 0) return;
    if (this.#names[block] === undefined) this.#free.push(block);
    else this.#kept.add(block);
  }

  /** How many hold a block. */
  holders(block: number): number {
    return this.#references[block];
  }

  /**
   * Says what a held block contains; from now on its holder must not write to it. Where another block has that content
   * already, that one stays the one to be found.
   */
  publish(block: number, name: string): void {
    if (this.#references[block] === 0) throw new Error(`block ${block} is free and has no content`);
    if (this.#named.has(name) || this.#names[block] !== undefined) return;
    this.#named.set(name, block);
    this.#names[block] = name;
    this.#listener?.published(name);
  }

  /** The block of some content, if there is one. It may be held by nobody: `share` it before anything else. */
  find(name: string): number | undefined {
    return this.#named.get(name);
  }

  /** The same books, to be written on without these, and whoever listens, noticing. */
  copy(): BlockPool {
    return new BlockPool(this.blocks, undefined, this);
  }

  /** Takes note that the memory has some content from before, which nobody holds. Does nothing where it has no room. */
  keep(name: string): void {
    if (this.#named.has(name)) return;
    const block = this.#free.pop();
    if (block === undefined) return;
    this.#named.set(name, block);
    this.#names[block] = name;
    this.#kept.add(block);
  }

  #evict(): number | undefined {
    for (const block of this.#kept) {
      const name = this.#names[block]!;
      this.#kept.delete(block);
      this.#named.delete(name);
      this.#names[block] = undefined;
      this.#listener?.evicted(name);
      return block;
    }
    return undefined;
  }
}

/** Blocks that `tokens` tokens take. */
export function blocksFor(tokens: number, blockTokens: number): number {
  return Math.ceil(tokens / blockTokens);
}
