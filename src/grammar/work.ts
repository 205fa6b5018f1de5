/** Something takes more work than it may. */
export class TooMuchWork extends Error {
  override readonly name = 'TooMuchWork';
}

/**
 * Counts what grammars cost, in units of roughly a quarter of a microsecond, and ends what goes beyond its allowance. A
 * count, unlike a clock, refuses the same schemas on every machine and under every load.
 */
export class Work {
  #spent = 0;
  #allowed = Infinity;

  /** @throws TooMuchWork when the allowance is used up */
  spend(units: number): void {
    this.#spent += units;
    if (this.#spent > this.#allowed) throw new TooMuchWork('the allowance is used up');
  }

  /**
   * Does something that may cost so much.
   *
   * @returns what it came to, and what it has cost
   * @throws TooMuchWork when it goes beyond
   */
  within<T>(units: number, what: () => T): { readonly value: T; readonly cost: number } {
    const before = this.#spent;
    this.#allowed = before + units;
    try {
      return { value: what(), cost: this.#spent - before };
    } finally {
      this.#allowed = Infinity;
    }
  }
}
