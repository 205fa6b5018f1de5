import { seedOf } from '../seed.js';
import { random } from './random.js';

/**
 * Random numbers of one purpose. Each purpose has a stream of its own, so that changing the lengths of requests does
 * not change when they arrive.
 */
export class Draws {
  readonly #next: () => number;

  constructor(seed: number, purpose: string) {
    this.#next = random(seedOf(`${seed} ${purpose}`));
  }

  /** In (0, 1): both ends are left out, so that logarithms are finite. */
  uniform(): number {
    return this.#next() + 2 ** -33;
  }

  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.#next() * (high - low + 1));
  }

  exponential(mean: number): number {
    return -mean * Math.log(this.uniform());
  }

  /** Of mean 0 and standard deviation 1 (Box and Muller, 1958). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /**
   * Of scale 1, so of mean `shape` (Marsaglia and Tsang, "A simple method for generating gamma variables", 2000; below
   * 1 with the step up to shape + 1 that they give).
   */
  gamma(shape: number): number {
    if (shape < 1) return this.gamma(shape + 1) * this.uniform() ** (1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(this.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  }
}
