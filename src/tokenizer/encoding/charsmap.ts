/** Characters between two steps. */
const STEP = 256;
/** UTF-16 units that are cut into what readers take for characters at once. */
const WINDOW = 128;
/** UTF-16 units of a character that is remembered. */
const KEPT_LENGTH = 16;
/** Characters that make up one by themselves where another of them or a text's end follows: most, and fast to tell. */
const ALONE =
  /[\x20-\x7e\u00c0-\u024f\u0391-\u03ff\u0400-\u0481\u05d0-\u05ea\u0620-\u064a\u0904-\u0939\u0e01-\u0e2e\u3041-\u3096\u30a1-\u30fa\u3400-\u9fff]/;
/** By UTF-16 unit; 0 is not known yet. */
const alone = new Uint8Array(0x10000);

function aloneAt(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  if (alone[unit] === 0) alone[unit] = ALONE.test(text[at]) ? 1 : 2;
  return alone[unit] === 1;
}

/** That place, or the one behind it where a code point would be cut. */
function wholeBefore(text: string, place: number): number {
  return (text.charCodeAt(place) & 0xfc00) === 0xdc00 ? place + 1 : place;
}

/**
 * SentencePiece's table of replacements, `precompiled_charsmap`: a double-array trie over UTF-8 (darts-clone's layout,
 * little-endian words) behind its length in bytes, and then the replacements, each ended by a byte of 0.
 */
export class CharsMap {
  readonly #units: Uint32Array;
  readonly #replacements: Uint8Array;
  readonly #known = new Map<string, string>();
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
    /** Whether the place is inside of a character. */
    let inside = false;
    for (let at = 0; at < text.length; steps++) {
      if (steps >= STEP) {
        steps = 0;
        yield;
      }
      if (!inside && aloneAt(text, at) && (at + 1 === text.length || aloneAt(text, at + 1))) {
        result += this.#replaced(text[at++]);
        continue;
      }
      const begin = at;
      const window = text.slice(begin, wholeBefore(text, begin + WINDOW));
      const goesOn = begin + window.length < text.length;
      this.#segmenter ??= new Intl.Segmenter('und', { granularity: 'grapheme' });
      for (const { segment, index } of this.#segmenter.segment(window)) {
        const end = index + segment.length;
        // What reaches the window's end may go on behind it.
        if (end === window.length && goesOn) break;
        result += inside ? this.#each(segment) : this.#replaced(segment);
        inside = false;
        at = begin + end;
        steps++;
        if (aloneAt(text, at) && aloneAt(text, at + 1)) break;
      }
      if (at > begin) continue;
      at = wholeBefore(text, begin + WINDOW / 2);
      result += this.#each(text.slice(begin, at));
      steps += WINDOW / 2;
      inside = true;
    }
    return result;
  }

  #replaced(grapheme: string): string {
    const known = this.#known.get(grapheme);
    if (known !== undefined) return known;
    const replaced = this.#whole(grapheme) ?? this.#each(grapheme);
    if (grapheme.length > KEPT_LENGTH) return replaced;
    if (this.#known.size > 10_000) this.#known.clear();
    this.#known.set(grapheme, replaced);
    return replaced;
  }

  #whole(grapheme: string): string | undefined {
    const bytes = utf8.encode(grapheme);
    return bytes.length < 6 ? this.#search(bytes) : undefined;
  }

  #each(text: string): string {
    let result = '';
    for (const character of text) result += this.#search(utf8.encode(character)) ?? character;
    return result;
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
