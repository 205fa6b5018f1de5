/**
 * The operations of a Llama in float64, written to be read next to the formulas. Every kernel is tested against these,
 * so nothing here is clever and nothing is shared with `src`. Matrices are row-major.
 */
import type { ModelConfig } from '../../src/model/config.js';

export * from './sampling.js';

/** x [m, k] times w [n, k] transposed, as a linear layer of Hugging Face stores it -> [m, n]. */
export function matmul(x: Float64Array, w: Float64Array, m: number, n: number, k: number): Float64Array {
  if (x.length !== m * k || w.length !== n * k) {
    throw new RangeError(
      `matmul: x has ${x.length} and w ${w.length} elements, expected [${m}, ${k}] and [${n}, ${k}]`,
    );
  }
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += x[i * k + l] * w[j * k + l];
      out[i * n + j] = sum;
    }
  }
  return out;
}

/** Sum of two arrays of the same shape. */
export function add(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + b[i]);
}

/** x [m, k] / sqrt(mean(x^2) + eps) * gamma [k], row by row -> [m, k]. */
export function rmsNorm(x: Float64Array, gamma: Float64Array, eps: number): Float64Array {
  const k = gamma.length;
  const out = new Float64Array(x.length);
  for (let row = 0; row < x.length; row += k) {
    let squares = 0;
    for (let i = 0; i < k; i++) squares += x[row + i] ** 2;
    const scale = 1 / Math.sqrt(squares / k + eps);
    for (let i = 0; i < k; i++) out[row + i] = x[row + i] * scale * gamma[i];
  }
  return out;
}

/** Adds b [k] to each row of x [m, k]. */
export function addBias(x: Float64Array, b: Float64Array): Float64Array {
  return x.map((value, i) => value + b[i % b.length]);
}

/** silu(gate) * up, with silu(x) = x / (1 + exp(-x)); both of the same shape. */
export function siluGate(gate: Float64Array, up: Float64Array): Float64Array {
  return gate.map((g, i) => (g / (1 + Math.exp(-g))) * up[i]);
}

/**
 * Radians per position of each pair of a head -> [headDim / 2], scaled as transformers' `modeling_rope_utils` does:
 * `linear` divides every frequency; `llama3` divides those whose wavelength exceeds the original context by the
 * factor, keeps short wavelengths, and blends in between.
 */
export function ropeFrequencies(config: ModelConfig): Float64Array {
  const { headDim, ropeTheta, ropeScaling: scaling } = config;
  const plain = Float64Array.from({ length: headDim / 2 }, (_, i) => ropeTheta ** ((-2 * i) / headDim));
  if (scaling.type === 'none') return plain;
  if (scaling.type === 'linear') return plain.map((frequency) => frequency / scaling.factor);
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = scaling;
  return plain.map((frequency) => {
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength > originalMaxPositions / lowFreqFactor) return frequency / factor;
    if (wavelength < originalMaxPositions / highFreqFactor) return frequency;
    const smooth = (originalMaxPositions / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
}

/**
 * Rotates x [m, heads, headDim] by its rows' positions [m] -> the same shape. Element i of a head is paired with
 * element i + headDim / 2, Hugging Face's half-split convention (not the interleaved pairs of Meta's own files).
 */
export function rope(x: Float64Array, positions: ArrayLike<number>, frequencies: Float64Array): Float64Array {
  const half = frequencies.length;
  const rowLength = x.length / positions.length;
  const out = new Float64Array(x.length);
  for (let head = 0; head < x.length; head += 2 * half) {
    const position = positions[Math.floor(head / rowLength)];
    for (let i = 0; i < half; i++) {
      const cos = Math.cos(position * frequencies[i]);
      const sin = Math.sin(position * frequencies[i]);
      const a = x[head + i];
      const b = x[head + half + i];
      out[head + i] = a * cos - b * sin;
      out[head + half + i] = b * cos + a * sin;
    }
  }
  return out;
}

/** Sizes of an attention: `heads` query heads share `kvHeads` key and value heads in equal groups. */
export interface AttentionShape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/**
 * Causal grouped-query attention: q [m, heads, headDim] against k and v [t, kvHeads, headDim] -> [m, heads, headDim].
 * A row at position p sees keys 0..p, so t must exceed every position; query head h reads KV head
 * floor(h * kvHeads / heads). Scores are scaled by 1 / sqrt(headDim). With a window it sees the last so many of them,
 * its own included.
 */
export function attention(
  q: Float64Array,
  k: Float64Array,
  v: Float64Array,
  positions: ArrayLike<number>,
  { heads, kvHeads, headDim }: AttentionShape,
  window = Infinity,
): Float64Array {
  const out = new Float64Array(q.length);
  const scale = 1 / Math.sqrt(headDim);
  for (let row = 0; row < positions.length; row++) {
    const keys = positions[row] + 1;
    if (keys * kvHeads * headDim > k.length) throw new RangeError(`attention: position ${positions[row]} has no key`);
    for (let head = 0; head < heads; head++) {
      const query = (row * heads + head) * headDim;
      const kvHead = Math.floor((head * kvHeads) / heads);
      const scores = new Float64Array(keys).fill(-Infinity);
      for (let key = Math.max(0, keys - window); key < keys; key++) {
        const offset = (key * kvHeads + kvHead) * headDim;
        let dot = 0;
        for (let i = 0; i < headDim; i++) dot += q[query + i] * k[offset + i];
        scores[key] = dot * scale;
      }
      const weights = softmax(scores);
      for (let key = 0; key < keys; key++) {
        const offset = (key * kvHeads + kvHead) * headDim;
        for (let i = 0; i < headDim; i++) out[query + i] += weights[key] * v[offset + i];
      }
    }
  }
  return out;
}

/** exp(x) / sum(exp(x)) over all of x, shifted by the maximum; -Infinity becomes 0. */
export function softmax(x: Float64Array): Float64Array {
  return logSoftmax(x).map(Math.exp);
}

/** x - log(sum(exp(x))) over all of x, shifted by the maximum. */
export function logSoftmax(x: Float64Array): Float64Array {
  let max = -Infinity;
  for (const value of x) max = Math.max(max, value);
  let sum = 0;
  for (const value of x) sum += Math.exp(value - max);
  const logSum = max + Math.log(sum);
  return x.map((value) => value - logSum);
}

/** Index of the largest element, the lowest index where several are equal. */
export function argmax(x: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < x.length; i++) if (x[i] > x[best]) best = i;
  return best;
}
