/** Words up to this length in UTF-16 units are remembered, so many of them. */
const LENGTH = 64;
const WORDS = 20_000;

/** What was found out about words; most of a text's come again. */
export class Remembered<T> {
  readonly #known = new Map<string, T>();

  get(word: string): T | undefined {
    return this.#known.get(word);
  }

  /** Remembers it where the word is short; returns it. */
  set(word: string, found: T): T {
    if (word.length > LENGTH) return found;
    if (this.#known.size >= WORDS) this.#known.clear();
    this.#known.set(word, found);
    return found;
  }
}
