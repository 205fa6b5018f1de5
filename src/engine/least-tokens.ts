import type { TokenConstraint } from '../grammar/token-constraint.js';
import type { GenerateOptions } from './api.js';

/** Options by which a generation cannot end by itself before it has so many tokens as `minTokens` says. */
export function withLeastTokens(options: GenerateOptions, eosIds: readonly number[], vocab: number): GenerateOptions {
  const { minTokens = 0, constraint, stopIds = [], ignoreEos = false } = options;
  const ends = [...(ignoreEos ? [] : eosIds), ...stopIds];
  if (minTokens === 0 || ends.length === 0) return options;
  return { ...options, constraint: new LeastTokens(constraint ?? anyToken(vocab), ends, minTokens) };
}

/** Lets every token through. */
function anyToken(vocab: number): TokenConstraint {
  const all = new Uint32Array(Math.ceil(vocab / 32)).fill(0xffffffff);
  return { allowed: () => all, accept: () => undefined };
}

/** Lets no end through for a while, unless nothing else is allowed. */
class LeastTokens implements TokenConstraint {
  readonly #inner: TokenConstraint;
  readonly #ends: readonly number[];
  #left: number;

  constructor(inner: TokenConstraint, ends: readonly number[], left: number) {
    this.#inner = inner;
    this.#ends = ends;
    this.#left = left;
  }

  allowed(): Uint32Array {
    const allowed = this.#inner.allowed();
    if (this.#left <= 0) return allowed;
    const without = allowed.slice();
    for (const id of this.#ends) without[id >> 5] &= ~(1 << (id & 31));
    return without.some((word) => word !== 0) ? without : allowed;
  }

  accept(id: number): void {
    this.#left--;
    this.#inner.accept(id);
  }
}
