import type { AddedToken } from '../files.js';
import { Trie } from './trie.js';

/** A piece of a text: plain, or an added token. */
export interface Section {
  readonly begin: number;
  readonly end: number;
  readonly token: AddedToken | undefined;
}

/** UTF-16 units between two pauses. */
const STEP = 65_536;

// As Rust's regex has them, which the reference uses here; JavaScript's `\s` and `\w` differ.
const WORD = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const BLANK = /\p{White_Space}/u;

/** The character that ends at `end`. */
function before(text: string, end: number): string {
  const low = text.charCodeAt(end - 1);
  return text.slice((low & 0xfc00) === 0xdc00 && end > 1 ? end - 2 : end - 1, end);
}

/** Finds added tokens in texts: the longest of those that begin first, one behind the other. */
export class AddedTokens {
  readonly #trie = new Trie();
  /** By UTF-16 unit, whether a token begins with it. */
  readonly #first = new Uint8Array(0x10000);

  readonly #entries: readonly (readonly [string, AddedToken])[];

  /** @param entries tokens with the text to look for, which normalising may have changed */
  constructor(entries: readonly (readonly [string, AddedToken])[]) {
    this.#entries = entries;
    for (const [i, [text]] of entries.entries()) {
      if (text === '') continue;
      this.#trie.add(text, i);
      this.#first[text.charCodeAt(0)] = 1;
    }
  }

  /** The sections of a text in their order; blanks that a token strips belong to its section. Undefined is a pause. */
  *split(text: string): Generator<Section | undefined, void> {
    let done = 0;
    for (let at = 0, pause = STEP; at < text.length;) {
      if (at >= pause) {
        pause = at + STEP;
        yield undefined;
      }
      const found = this.#first[text.charCodeAt(at)] === 1 ? this.#longest(text, at) : undefined;
      if (found === undefined) {
        at++;
        continue;
      }
      const [end, token] = found;
      if (token.single_word !== true || standsAlone(text, at, end)) {
        let first = at;
        if (token.lstrip === true) while (first > done && BLANK.test(text[first - 1])) first--;
        let last = end;
        if (token.rstrip === true) while (last < text.length && BLANK.test(text[last])) last++;
        if (first > done) yield { begin: done, end: first, token: undefined };
        yield { begin: first, end: last, token };
        done = last;
      }
      at = Math.max(end, done);
    }
    if (done < text.length) yield { begin: done, end: text.length, token: undefined };
  }

  #longest(text: string, begin: number): [number, AddedToken] | undefined {
    let node = Trie.root;
    let best: [number, AddedToken] | undefined;
    for (let i = begin; i < text.length; i++) {
      node = this.#trie.step(node, text.charCodeAt(i));
      if (node < 0) break;
      const value = this.#trie.valueAt(node);
      if (value >= 0) best = [i + 1, this.#entries[value][1]];
    }
    return best;
  }
}

function standsAlone(text: string, begin: number, end: number): boolean {
  if (begin > 0 && WORD.test(before(text, begin))) return false;
  return end === text.length || !WORD.test(String.fromCodePoint(text.codePointAt(end)!));
}
