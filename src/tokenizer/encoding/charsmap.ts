/** Characters between two steps. */
const STEP = 64;
/** UTF-16 units that are looked at for the end of a character. */
const LONGEST = 256;
/** Characters that make up one by themselves where another of them or a text's end follows: most, and fast to tell. */
const ALONE =
  /[\x20-\x7e\u00c0-\u024f\u0391-\u03ff\u0400-\u0481\u05d0-\u05ea\u0620-\u064a\u0904-\u0939\u0e01-\u0e2e\u3041-\u3096\u30a1-\u30fa\u3400-\u9fff]/;

/**
 * SentencePiece's table of replacements, `precompiled_charsmap`: a double-array trie over UTF-8 (darts-clone's layout,
 * little-endian words) behind its length in bytes, and then the replacements, each ended by a byte of 0.
 */
export class CharsMap {
  readonly #units: Uint32Array;
  readonly #replacements: Uint8Array;
  readonly #known = new Map<string, string | undefined>();
  #segmenter: Intl.Segmenter | undefined;

  /** @param encoded base64 @throws RangeError where the table does not hold together */
  constructor(encoded: string) {
    const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
    const length = new DataView(bytes.buffer).getUint32(0, true);
    this.#units = new Uint32Array(bytes.slice(4, 4 + length).buffer);
    this.#replacements = bytes.subarray(4 + length);
  }

  /** Replaces what a reader takes for one character where it is short and in the table, else each code point of it. */
  *replace(text: string): Generator<void, string> {
    let result = '';
    let steps = 0;
    let done = 0;
    for (const { index, 0: run } of text.matchAll(/[^\x00-\x7f]+/g)) {
      // A mark belongs to the character before it, whatever that is.
      const begin = Math.max(done, index - 1);
      result += this.#each(text.slice(done, begin));
      done = index + run.length;
      this.#segmenter ??= new Intl.Segmenter('und', { granularity: 'grapheme' });
      // The segmenter looks back from every place, so it is not given a long text.
      for (let at = begin; at < done;) {
        if (++steps % STEP === 0) yield;
        if (ALONE.test(text[at]) && (at + 1 >= done || ALONE.test(text[at + 1]))) {
          const character = text[at++];
          result += this.#lookUp(character) ?? character;
          continue;
        }
        const { segment } = this.#segmenter.segment(text.slice(at, at + LONGEST)).containing(0)!;
        result += this.#grapheme(segment);
        at += segment.length;
      }
    }
    result += this.#each(text.slice(done));
    return result;
  }

  #grapheme(grapheme: string): string {
    const whole = utf8.encode(grapheme).length < 6 ? this.#lookUp(grapheme) : undefined;
    if (whole !== undefined) return whole;
    return this.#each(grapheme);
  }

  #each(text: string): string {
    let result = '';
    for (const character of text) result += this.#lookUp(character) ?? character;
    return result;
  }

  #lookUp(key: string): string | undefined {
    if (this.#known.has(key)) return this.#known.get(key);
    const found = this.#search(utf8.encode(key));
    if (this.#known.size > 10_000) this.#known.clear();
    this.#known.set(key, found);
    return found;
  }

  /** The replacement of the shortest prefix that has one. */
  #search(key: Uint8Array): string | undefined {
    const units = this.#units;
    const offset = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);
    let at = offset(units[0]);
    for (const byte of key) {
      if (byte === 0) return undefined;
      at ^= byte;
      const unit = units[at];
      if ((unit & 0x800000ff) !== byte) return undefined; // also behind the end, where there is no unit
      at ^= offset(unit);
      if (((unit >>> 8) & 1) === 0) continue;
      const begin = units[at] & 0x7fffffff;
      return new TextDecoder().decode(this.#replacements.subarray(begin, this.#replacements.indexOf(0, begin)));
    }
    return undefined;
  }
}

const utf8 = new TextEncoder();
