import type { ConstraintDescription } from './description.js';
import type { TokenConstraint } from './token-constraint.js';

export type RulesDescription = Extract<ConstraintDescription, { kind: 'rules' }>;

/** Tokens that alone may come, and such as must not follow one another, whatever another constraint says beside it. */
export class TokenRules implements TokenConstraint {
  readonly #ids: number[] = [];
  readonly #base: Uint32Array;
  readonly #sequences: readonly (readonly number[])[];
  readonly #rules: Omit<RulesDescription, 'kind' | 'inner'>;
  readonly #inner: TokenConstraint | undefined;

  /** @param vocab ids there are */
  constructor(rules: Omit<RulesDescription, 'kind' | 'inner'>, vocab: number, inner: TokenConstraint | undefined) {
    this.#rules = rules;
    this.#inner = inner;
    const { allowed, never } = rules;
    this.#base = new Uint32Array(Math.ceil(vocab / 32));
    if (allowed === undefined) this.#base.fill(0xffffffff);
    for (const id of allowed ?? []) this.#base[id >> 5] |= 1 << (id & 31);
    for (const ids of never) if (ids.length === 1) this.#base[ids[0] >> 5] &= ~(1 << (ids[0] & 31));
    this.#sequences = never.filter(({ length }) => length > 1);
  }

  get description(): ConstraintDescription | undefined {
    const inner = this.#inner?.description;
    if (this.#inner !== undefined && inner === undefined) return undefined;
    return { kind: 'rules', ...this.#rules, ...(inner === undefined ? {} : { inner }) };
  }

  allowed(): Uint32Array {
    const mask = this.#base.slice();
    for (const ids of this.#sequences) {
      if (!this.#endsWithAllButTheLastOf(ids)) continue;
      const last = ids[ids.length - 1];
      mask[last >> 5] &= ~(1 << (last & 31));
    }
    const inner = this.#inner?.allowed();
    if (inner !== undefined) for (let word = 0; word < mask.length; word++) mask[word] &= inner[word];
    return mask;
  }

  #endsWithAllButTheLastOf(ids: readonly number[]): boolean {
    const start = this.#ids.length - ids.length + 1;
    for (let at = ids.length - 2; at >= 0; at--) if (this.#ids[start + at] !== ids[at]) return false;
    return true;
  }

  accept(id: number): void {
    this.#ids.push(id);
    this.#inner?.accept(id);
  }
}
