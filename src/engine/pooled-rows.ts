/** The last norm of a model. */
export interface FinalNorm {
  readonly scale: Float32Array;
  readonly eps: number;
}

/** Numbers after which a generator of this file lets others have their turn. */
const BETWEEN_TURNS = 1 << 15;

/**
 * Adds rows of the residual stream up, each normed first, in float64: in the order of their positions, so that the sum
 * does not depend on how the prompt was cut into chunks.
 */
export class PooledRows {
  readonly #sum: Float64Array;
  readonly #norm: FinalNorm;
  #rows = 0;

  constructor(norm: FinalNorm) {
    this.#norm = norm;
    this.#sum = new Float64Array(norm.scale.length);
  }

  /** Rows added so far. */
  get rows(): number {
    return this.#rows;
  }

  /**
   * Adds rows, with a pause now and then.
   *
   * @param numbers [rows][stride]
   */
  *add(numbers: Float32Array, rows: number, stride: number): Generator<void, void> {
    const sum = this.#sum;
    const { scale, eps } = this.#norm;
    const width = scale.length;
    let since = 0;
    for (let row = 0; row < rows; row++) {
      const at = row * stride;
      let squares = 0;
      for (let i = 0; i < width; i++) squares += numbers[at + i] * numbers[at + i];
      const factor = 1 / Math.sqrt(squares / width + eps);
      for (let i = 0; i < width; i++) sum[i] += numbers[at + i] * factor * scale[i];
      since += width;
      if (since < BETWEEN_TURNS) continue;
      since = 0;
      yield;
    }
    this.#rows += rows;
  }

  /** The mean of all rows. */
  mean(): Float64Array {
    return this.#sum.map((each) => each / this.#rows);
  }
}

/**
 * The vector that is handed out: its first numbers where fewer are wanted, as models trained for that (Matryoshka) allow,
 * then of length 1 where it is to be.
 */
export function finished(pooled: Float64Array, dimensions: number, normalize: boolean): Float32Array {
  const vector = new Float32Array(dimensions);
  let squares = 0;
  for (let i = 0; i < dimensions; i++) squares += pooled[i] * pooled[i];
  const divisor = normalize && squares > 0 ? Math.sqrt(squares) : 1;
  for (let i = 0; i < dimensions; i++) vector[i] = pooled[i] / divisor;
  return vector;
}
