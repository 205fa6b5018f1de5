const UNKNOWN = 0;
const IN = 1;
const OUT = 2;

/** Characters that one atom of an expression matches: asked of JavaScript's own expression once for each character. */
export class CharacterTest {
  readonly #expression: RegExp;
  readonly #basic = new Uint8Array(0x10000);
  readonly #others = new Map<number, boolean>();

  /** @param source of an atom that matches one character, such as `[a-z]`, `\p{L}` or `.` */
  constructor(source: string, flags: string) {
    this.#expression = new RegExp(`^${source}$`, flags);
  }

  has(codePoint: number): boolean {
    if (codePoint > 0xffff) return this.#hasOther(codePoint);
    const known = this.#basic[codePoint];
    if (known !== UNKNOWN) return known === IN;
    const found = this.#test(codePoint);
    this.#basic[codePoint] = found ? IN : OUT;
    return found;
  }

  #hasOther(codePoint: number): boolean {
    let found = this.#others.get(codePoint);
    if (found === undefined) this.#others.set(codePoint, (found = this.#test(codePoint)));
    return found;
  }

  #test(codePoint: number): boolean {
    return this.#expression.test(String.fromCodePoint(codePoint));
  }
}
