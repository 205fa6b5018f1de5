import { isPrefill, type BatchShape } from '../model/operations.js';

/** How fast old steps are forgotten: a step counts half after about 35 others. */
const MEMORY = 0.98;
/** Uncertainty of a weight at the start; where forgetting has brought it back there, nothing more is forgotten. */
const UNCERTAIN = 1e4;

/** The next power of two of a number of rows, as a power; 0 of none. */
const bitsOf = (rows: number): number => Math.ceil(Math.log2(rows + 1));

/** Rows of a step that decode, and rows of prompts. */
function rowsOf({ sequences }: BatchShape): { readonly decode: number; readonly prefill: number } {
  let [decode, prefill] = [0, 0];
  for (const sequence of sequences) {
    if (isPrefill(sequence)) prefill += sequence.newTokens;
    else decode += sequence.newTokens;
  }
  return { decode, prefill };
}

/** What a step's time is taken to depend on: launches, rows that decode, rows of prompts, keys that attention reads. */
function features(batch: BatchShape): number[] {
  const { decode, prefill } = rowsOf(batch);
  const keys = batch.sequences.reduce((sum, { newTokens, context }) => sum + newTokens * (context + newTokens / 2), 0);
  // Scaled to numbers of order one, which keeps the arithmetic well-conditioned.
  return [1, decode / 8, prefill / 256, keys / 65536];
}

/**
 * Learns what steps cost from those that have run, by recursive least squares with forgetting (Haykin, Adaptive Filter
 * Theory, ch. 9), so that a policy can keep a step within a time on an adapter nobody has calibrated. Never predicts
 * less than nothing.
 */
export class LearntStepCost {
  #weights: readonly number[] = [0, 0, 0, 0];
  #inverse: readonly (readonly number[])[] = [0, 1, 2, 3].map((row) =>
    [0, 1, 2, 3].map((column) => (row === column ? UNCERTAIN : 0)),
  );

  /** Sizes of steps that have run, to the next power of two. */
  readonly #sizes = new Set<number>();

  /** Predicted milliseconds of a step. */
  predict(batch: BatchShape): number {
    // What correlates in the steps so far may have been given a weight below zero, but no work makes a step faster.
    const weights = this.#weights.map((weight) => Math.max(0, weight));
    return dot(weights, features(batch));
  }

  /**
   * Takes note of a step that took `ms`, unless it is the first of its size: a driver may translate kernels when they are
   * launched for the first time, in hundreds of times the step's own time, which would be expected of the next hundred.
   *
   * @returns whether it taught anything
   */
  observe(batch: BatchShape, ms: number): boolean {
    if (this.#isNew(batch)) return false;
    const x = features(batch);
    const projected = this.#inverse.map((row) => dot(row, x));
    const memory = this.#inverse.some((row, i) => row[i] > UNCERTAIN) ? 1 : MEMORY;
    const gain = projected.map((value) => value / (memory + dot(x, projected)));
    const error = ms - dot(this.#weights, x);
    this.#weights = this.#weights.map((weight, i) => weight + gain[i] * error);
    this.#inverse = this.#inverse.map((row, i) => row.map((value, j) => (value - gain[i] * projected[j]) / memory));
    return true;
  }

  #isNew(batch: BatchShape): boolean {
    const { decode, prefill } = rowsOf(batch);
    const size = 64 * bitsOf(decode) + bitsOf(prefill);
    const isNew = !this.#sizes.has(size);
    this.#sizes.add(size);
    return isNew;
  }
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}
