import type { StepLoad, StepPrice } from './price.js';

/** Coefficients in milliseconds, as DistServe fits them (LLMServe/DistServe, simdistserve). */
export interface LinearFit {
  /** a + b * tokens + c * (sum of squares of each prompt's tokens). */
  readonly prefill: readonly [number, number, number];
  /** a + b * (tokens in the cache of all) + c * rows, up to the threshold and above it. */
  readonly decodeSmall: readonly [number, number, number];
  readonly decodeLarge: readonly [number, number, number];
  /** Rows from which on the second line counts. */
  readonly threshold: number;
}

/** Three numbers a phase. A step of both phases costs the sum: the fit knows no mixed steps. */
export class LinearPrice implements StepPrice {
  readonly #fit: LinearFit;

  constructor(fit: LinearFit) {
    this.#fit = fit;
  }

  seconds({ decodeRows, decodeKeys, prompts }: StepLoad): number {
    let ms = 0;
    if (prompts.length > 0) {
      const [a, b, c] = this.#fit.prefill;
      const tokens = prompts.reduce((sum, { begin, end }) => sum + end - begin, 0);
      const squares = prompts.reduce((sum, { begin, end }) => sum + end * end - begin * begin, 0);
      ms += a + b * tokens + c * squares;
    }
    if (decodeRows > 0) {
      const { decodeSmall, decodeLarge, threshold } = this.#fit;
      const [a, b, c] = decodeRows < threshold ? decodeSmall : decodeLarge;
      ms += a + b * decodeKeys + c * decodeRows;
    }
    return ms / 1000;
  }
}
