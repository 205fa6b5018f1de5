/** Measures of how far an output is from its reference, and seeded numbers to test with. */

/** ||out - ref|| / ||ref|| in float64; Infinity where anything is NaN or the lengths differ, 0 for two zero arrays. */
export function relativeError(out: ArrayLike<number>, ref: ArrayLike<number>): number {
  if (out.length !== ref.length) return Infinity;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < ref.length; i++) {
    difference += (out[i] - ref[i]) ** 2;
    norm += ref[i] ** 2;
  }
  if (difference === 0) return 0;
  const error = Math.sqrt(difference / norm);
  return Number.isNaN(error) ? Infinity : error;
}

/** Largest |out - ref|; Infinity where anything is NaN or the lengths differ. */
export function maxAbsError(out: ArrayLike<number>, ref: ArrayLike<number>): number {
  if (out.length !== ref.length) return Infinity;
  let max = 0;
  for (let i = 0; i < ref.length; i++) {
    const error = Math.abs(out[i] - ref[i]);
    if (Number.isNaN(error)) return Infinity;
    max = Math.max(max, error);
  }
  return max;
}

/** A stream of reproducible numbers; each call goes on where the last one stopped. */
export interface Random {
  /** One number in [0, 1). */
  next(): number;
  /** One whole number in [0, below). */
  integer(below: number): number;
  /** `length` numbers in [low, high). */
  uniform(length: number, low?: number, high?: number): Float64Array;
  /** `length` numbers of mean 0 and the given standard deviation. */
  normal(length: number, deviation?: number): Float64Array;
}

/** Numbers from a 32-bit seed: a Weyl sequence through a multiply-xorshift hash, and Box-Muller for normals. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32;
  };
  const gauss = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return {
    next,
    integer: (below) => Math.floor(next() * below),
    uniform: (length, low = -1, high = 1) => Float64Array.from({ length }, () => low + (high - low) * next()),
    normal: (length, deviation = 1) => Float64Array.from({ length }, () => deviation * gauss()),
  };
}
