import type { Finder } from '../../patterns/search.js';
import type { Cutter } from './cutter.js';

/** What becomes of the matches a text is split at, in the Rust library's words. */
export const BEHAVIOURS = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

/** Parts looked at between two pauses. */
const STEP = 512;

/** An expression with the flags `gu` that is known to take a time that grows with the text's length. */
export class PlainFinder implements Finder {
  begin = 0;
  end = 0;
  #text = '';
  readonly #regex: RegExp;

  constructor(regex: RegExp) {
    this.#regex = regex;
  }

  open(text: string): void {
    this.#text = text;
  }

  next(from: number): boolean {
    this.#regex.lastIndex = from; // another text may have been searched meanwhile
    const found = this.#regex.exec(this.#text);
    if (found === null) return false;
    this.begin = found.index;
    this.end = found.index + found[0].length;
    return true;
  }
}

/** An expression for a text as it stands. */
export function literal(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'), 'gu');
}

/** Goes through the matches and what lies between them, in order. */
export class Parts {
  /** The part at hand. */
  begin = 0;
  end = 0;
  match = false;
  #text = '';
  #from = 0;
  #done = 0;
  /** Whether the finder's match is the next part. */
  #matchNext = false;
  #over = false;
  readonly #finder: Finder;
  readonly #invert: boolean;

  /** @param invert whether what is found counts as what lies between, and the other way round */
  constructor(finder: Finder, invert: boolean) {
    this.#finder = finder;
    this.#invert = invert;
  }

  open(text: string): void {
    this.#finder.open(text);
    this.#text = text;
    this.#from = this.#done = 0;
    this.#matchNext = this.#over = false;
  }

  /** @returns whether there is another part; undefined for a pause */
  next(): boolean | undefined {
    const finder = this.#finder;
    if (!this.#matchNext) {
      const found = this.#over ? false : finder.next(this.#from);
      if (found === undefined) return undefined;
      if (!found) {
        this.#over = true;
        if (this.#done >= this.#text.length) return false;
        return this.#give(this.#text.length, this.#invert);
      }
      const { begin, end } = finder;
      this.#from = end > begin ? end : end + ((this.#text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1);
      this.#over = this.#from > this.#text.length;
      if (begin > this.#done) {
        this.#matchNext = true;
        return this.#give(begin, this.#invert);
      }
    }
    this.#matchNext = false;
    return this.#give(finder.end, !this.#invert);
  }

  #give(end: number, match: boolean): true {
    this.begin = this.#done;
    this.end = this.#done = end;
    this.match = match;
    return true;
  }
}

/** Cuts a text at the matches of an expression. */
export class Splitter implements Cutter {
  readonly #parts: Parts;
  #text = '';
  #begin = 0;
  #end = 0;
  #matchBefore = false;
  #open = false;
  readonly #behaviour: Behaviour;

  constructor(finder: Finder, behaviour: Behaviour, invert: boolean) {
    this.#behaviour = behaviour;
    this.#parts = new Parts(finder, invert);
  }

  open(text: string): void {
    this.#text = text;
    this.#parts.open(text);
    this.#matchBefore = this.#open = false;
  }

  next(): string | undefined | null {
    const behaviour = this.#behaviour;
    const parts = this.#parts;
    for (let steps = 0; steps < STEP; steps++) {
      const more = parts.next();
      if (more === undefined) return undefined;
      if (!more) return this.#rest() ?? null;
      const { begin, end, match } = parts;
      if (behaviour === 'Isolated') {
        if (end > begin) return this.#text.slice(begin, end);
        continue;
      }
      if (behaviour === 'Removed' && match) {
        const piece = this.#rest();
        if (piece !== undefined) return piece;
        if (begin === 0) return '';
        continue;
      }
      const joins =
        behaviour === 'Contiguous'
          ? match === this.#matchBefore
          : behaviour === 'MergedWithPrevious'
            ? match && !this.#matchBefore
            : behaviour === 'MergedWithNext' && this.#matchBefore && !match;
      const piece = joins ? undefined : this.#rest();
      if (!this.#open) this.#begin = begin;
      this.#end = end;
      this.#open = true;
      this.#matchBefore = match;
      if (piece !== undefined) return piece;
    }
    return undefined;
  }

  /** What was joined so far. */
  #rest(): string | undefined {
    const some = this.#open && this.#end > this.#begin;
    this.#open = false;
    return some ? this.#text.slice(this.#begin, this.#end) : undefined;
  }
}
