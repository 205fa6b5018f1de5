/** Places of a page, as a power of two. */
const PAGE_BITS = 6;
const PAGE = 1 << PAGE_BITS;
/** Pages that are kept for the next text. */
const KEPT = 256;

/** Empty pages: most texts are words, and making one for each would take longer than the search. */
export class Pages {
  readonly #free: Uint32Array[] = [];
  /** Words for each place. */
  readonly words: number;

  constructor(instructions: number) {
    this.words = Math.ceil(instructions / 32);
  }

  take(): Uint32Array {
    return this.#free.pop() ?? new Uint32Array(PAGE * this.words);
  }

  giveBack(page: Uint32Array): void {
    if (this.#free.length < KEPT) this.#free.push(page.fill(0));
  }
}

/** A bit for each instruction at each place of a text; memory is taken by pages, where something was noted. */
export class TriedPlaces {
  readonly #list: (Uint32Array | undefined)[] = [];
  readonly #words: number;
  #dropped = 0;
  readonly #pages: Pages;

  constructor(pages: Pages) {
    this.#pages = pages;
    this.#words = pages.words;
  }

  has(pc: number, at: number): boolean {
    const word = this.#list[at >> PAGE_BITS]?.[(at & (PAGE - 1)) * this.#words + (pc >> 5)] ?? 0;
    return ((word >>> (pc & 31)) & 1) === 1;
  }

  /** @returns whether it was not noted before */
  add(pc: number, at: number): boolean {
    const page = this.#list[at >> PAGE_BITS] ?? this.#newPage(at >> PAGE_BITS);
    const word = (at & (PAGE - 1)) * this.#words + (pc >> 5);
    const bit = 1 << (pc & 31);
    if ((page[word] & bit) !== 0) return false;
    page[word] |= bit;
    return true;
  }

  /** Forgets one, which was noted. */
  remove(pc: number, at: number): void {
    const page = this.#list[at >> PAGE_BITS]!;
    page[(at & (PAGE - 1)) * this.#words + (pc >> 5)] &= ~(1 << (pc & 31));
  }

  /** Forgets all of one place. */
  clear(at: number): void {
    const page = this.#list[at >> PAGE_BITS];
    if (page === undefined) return;
    const begin = (at & (PAGE - 1)) * this.#words;
    for (let i = begin; i < begin + this.#words; i++) page[i] = 0;
  }

  /** Forgets the pages before a place. */
  drop(at: number): void {
    for (const end = Math.min(at >> PAGE_BITS, this.#list.length); this.#dropped < end; this.#dropped++) {
      const page = this.#list[this.#dropped];
      if (page !== undefined) this.#pages.giveBack(page);
      this.#list[this.#dropped] = undefined;
    }
  }

  dropAll(): void {
    this.drop(this.#list.length << PAGE_BITS);
    this.#list.length = this.#dropped = 0;
  }

  #newPage(index: number): Uint32Array {
    while (this.#list.length < index) this.#list.push(undefined);
    return (this.#list[index] = this.#pages.take());
  }
}
