/**
 * Cuts texts into pieces, one text after another, as they are asked for. It is no generator since most pieces are a few
 * characters long, and resuming one for each would take longer than the cutting.
 */
export interface Cutter {
  /** @param begins whether the text is where the whole text begins */
  open(text: string, begins: boolean): void;
  /**
   * The next piece. An empty one stands for something that was left out where the text begins, undefined for a place
   * where the work may be left for a while, null for the end.
   */
  next(): string | undefined | null;
}

/** Cuts what one cutter gives with the next. */
export class Chain implements Cutter {
  /** Of each cutter, whether it has a text, and whether the next will be its first. */
  readonly #busy: boolean[];
  readonly #first: boolean[];
  readonly #cutters: readonly Cutter[];

  constructor(cutters: readonly Cutter[]) {
    this.#cutters = cutters;
    this.#busy = cutters.map(() => false);
    this.#first = cutters.map(() => true);
  }

  #text: string | null = null;

  open(text: string, begins: boolean): void {
    this.#text = text;
    this.#busy.fill(false);
    this.#first.fill(begins);
  }

  next(): string | undefined | null {
    return this.#pull(this.#cutters.length - 1);
  }

  #pull(i: number): string | undefined | null {
    if (i < 0) {
      const text = this.#text;
      this.#text = null;
      return text;
    }
    const cutter = this.#cutters[i];
    for (;;) {
      if (this.#busy[i]) {
        const piece = cutter.next();
        if (piece !== null) return piece;
        this.#busy[i] = false;
      }
      const text = this.#pull(i - 1);
      if (text === undefined || text === null) return text;
      if (text !== '') {
        cutter.open(text, this.#first[i]);
        this.#busy[i] = true;
      }
      this.#first[i] = false;
      if (text === '') return text;
    }
  }
}
