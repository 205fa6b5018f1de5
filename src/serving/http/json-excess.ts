/** Deeper than any request needs, shallow enough for every recursion over a body. */
const MAX_DEPTH = 64;
/** Objects, lists and strings, keys among them: each costs as much to make as a hundred characters to read. */
const MOST_PARTS = 65_536;
/** Names of keys that differ: each costs ten times that, since objects of new names have new shapes. */
const MOST_NAMES = 8192;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** Nobody outside knows which names count as one. */
const SEED = crypto.getRandomValues(new Uint32Array(2));

/** What JSON has too much of, seen by its punctuation and before anything is made of it. Counts go on over several texts. */
export class JsonExcess {
  readonly #what: string;
  readonly #mostItems: number;
  #parts = 0;
  #items = 0;
  readonly #names = new Set<number>();

  /**
   * @param what the JSON is called
   * @param mostItems items of lists
   */
  constructor(what: string, mostItems: number) {
    this.#what = what;
    this.#mostItems = mostItems;
  }

  /** @returns what there is too much of, in a sentence; undefined where all is well */
  of(json: Uint8Array): string | undefined {
    const what = this.#what;
    let depth = 0;
    for (let at = 0; at < json.length; at++) {
      switch (json[at]) {
        case QUOTE:
          this.#parts++;
          at = this.#string(json, at + 1);
          break;
        case 0x5b: // [
        case 0x7b: // {
          this.#parts++;
          if (++depth > MAX_DEPTH) return `${what} is nested more than ${MAX_DEPTH} levels deep`;
          break;
        case 0x5d:
        case 0x7d:
          depth--;
          break;
        case 0x2c: // ,
          this.#items++;
      }
      if (this.#parts > MOST_PARTS) return `${what} has more than ${MOST_PARTS} objects, lists and strings`;
      if (this.#names.size > MOST_NAMES) return `${what} has more than ${MOST_NAMES} names of keys that differ`;
    }
    return this.#items > this.#mostItems ? `${what} has more than ${this.#mostItems} items` : undefined;
  }

  /** On to the end of a string, which is a name where a colon follows. */
  #string(json: Uint8Array, start: number): number {
    let end = start;
    for (; end < json.length && json[end] !== QUOTE; end++) if (json[end] === BACKSLASH) end++;
    let next = end + 1;
    while (json[next] === 0x20 || json[next] === 0x0a || json[next] === 0x0d || json[next] === 0x09) next++;
    if (json[next] !== COLON) return end;
    let hash = SEED[0];
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ json[at], SEED[1] | 1) ^ (hash >>> 15);
    this.#names.add(hash);
    return end;
  }
}
