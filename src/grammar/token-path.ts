import type { ConstraintDescription } from './description.js';
import type { TokenConstraint } from './token-constraint.js';

/** Lets only the next of some ids through, from the second on. */
export class TokenPath implements TokenConstraint {
  readonly #ids: readonly number[];
  readonly #words: Uint32Array;
  #at = 1;

  /** @param vocab ids there are */
  constructor(ids: readonly number[], vocab: number) {
    this.#ids = ids;
    this.#words = new Uint32Array(Math.ceil(vocab / 32));
  }

  get description(): ConstraintDescription {
    return { kind: 'path', ids: this.#ids };
  }

  allowed(): Uint32Array {
    this.#words.fill(0);
    // Asked once more after the last.
    const id = this.#ids[Math.min(this.#at, this.#ids.length - 1)];
    this.#words[id >> 5] = 1 << (id & 31);
    return this.#words;
  }

  accept(): void {
    this.#at++;
  }
}
