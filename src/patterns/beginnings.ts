import { OP } from './operations.js';
import type { CharacterTest } from './character-set.js';

/** Whether a way can be gone where a character stands. */
export const WAY = {
  none: 1,
  /** By taking the character. */
  taking: 2,
  /** Perhaps without taking any. */
  free: 3,
} as const;

interface Code {
  readonly ops: Uint8Array;
  readonly a: Int32Array;
  readonly b: Int32Array;
  readonly sets: readonly CharacterTest[];
}

/** Of each instruction, which characters lead on from it: asked once for each, so that most ways need not be tried. */
export class Beginnings {
  /** By instruction and character, from the end of the text on; 0 is not known yet. */
  readonly #known: (Uint8Array | undefined)[] = [];
  readonly #code: Code;

  constructor(code: Code) {
    this.#code = code;
  }

  /** @param character a code point; -1 where the text ends */
  of(pc: number, character: number): number {
    if (character > 0xffff) return this.#find(pc, character);
    const known = (this.#known[pc] ??= new Uint8Array(0x10001));
    return known[character + 1] || (known[character + 1] = this.#find(pc, character));
  }

  #find(begin: number, character: number): number {
    const { ops, a, b, sets } = this.#code;
    const takes = (pc: number): boolean => character >= 0 && sets[a[pc]].has(character);
    const seen = new Set([begin]);
    let found: number = WAY.none;
    for (const pc of seen) {
      switch (ops[pc]) {
        case OP.one:
          if (takes(pc)) found = WAY.taking;
          break;
        case OP.either:
          seen.add(a[pc]).add(b[pc]);
          break;
        case OP.many:
          if (takes(pc)) found = WAY.taking;
          seen.add(b[pc]);
          break;
        default:
          return WAY.free;
      }
    }
    return found;
  }
}
