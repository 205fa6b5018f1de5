import { f32Value } from '../checkpoint/float.js';
import { groupsOf, type QuantFormat } from './formats.js';

/** What prompts' projections multiply: activations as they are, or quantised to 8 bits row by row. */
export const ACTIVATION_DTYPES = ['f32', 'int8'] as const;
export type ActivationDtype = (typeof ACTIVATION_DTYPES)[number];

/** Words in front of a row's quants, the first of them its scale; four, so that quants can be read 16 bytes at a time. */
const HEADER_WORDS = 4;

/** Rows whose largest number is smaller than this count as zeros: the inverse of their scale would not be a number. */
export const LEAST_MAXIMUM = f32Value(0x0da24260); // 1e-30

/** Multiplied with, as the kernel does: a division need not be exact on a GPU. */
const STEP = Math.fround(1 / 127);

/**
 * 32-bit words of a row of quantised activations: scale (f32) and padding, quants four to a word from the lowest byte
 * up, and where weights have zero points the sum of the quants of each of their groups. A multiple of 4.
 *
 * @param columns padded to a multiple of 32
 * @param weights the format of the weights that the row is multiplied with
 */
export function activationWords(columns: number, weights: QuantFormat): number {
  const sums = weights.symmetric ? 0 : groupsOf(columns, weights);
  return Math.ceil((HEADER_WORDS + columns / 4 + sums) / 4) * 4;
}

/** Half to even, as `round` of WGSL. */
function roundEven(value: number): number {
  const nearest = Math.round(value);
  return nearest - value === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}

/**
 * Quantises rows as `quantize_rows.wgsl` does: each number to the nearest multiple of its row's scale, which is the
 * row's largest magnitude over 127. A row of zeros has the scale 0, one with NaN or an infinity the scale NaN.
 *
 * @param values [rows][columns]
 * @returns [rows][activationWords]
 */
export function quantizeActivations(
  values: Float32Array,
  rows: number,
  columns: number,
  weights: QuantFormat,
): Uint32Array<ArrayBuffer> {
  const rowWords = activationWords(columns, weights);
  const words = new Uint32Array(rows * rowWords);
  const quants = new Int8Array(words.buffer);
  const floats = new Float32Array(words.buffer);
  const sums = new Int32Array(words.buffer);
  for (let row = 0; row < rows; row++) {
    const at = row * rowWords;
    const own = values.subarray(row * columns, (row + 1) * columns);
    if (!own.every(Number.isFinite)) {
      words[at] = 0x7fc00000;
      continue;
    }
    let most = 0;
    for (const value of own) most = Math.max(most, Math.abs(value));
    if (most < LEAST_MAXIMUM) continue;
    const scale = Math.fround(most * STEP);
    const inverse = Math.fround(1 / scale);
    floats[at] = scale;
    for (let i = 0; i < columns; i++) {
      const quant = roundEven(Math.fround(own[i] * inverse));
      quants[4 * (at + HEADER_WORDS) + i] = quant;
      if (!weights.symmetric) sums[at + HEADER_WORDS + columns / 4 + Math.floor(i / weights.group)] += quant;
    }
  }
  return words;
}

/** The activations that quants stand for, each exact in float64. @returns [rows][columns] */
export function dequantizeActivations(
  words: Uint32Array<ArrayBuffer>,
  rows: number,
  columns: number,
  weights: QuantFormat,
): Float64Array {
  const rowWords = activationWords(columns, weights);
  const quants = new Int8Array(words.buffer);
  const scales = new Float32Array(words.buffer);
  return Float64Array.from({ length: rows * columns }, (_, i) => {
    const at = Math.floor(i / columns) * rowWords;
    return scales[at] * quants[4 * (at + HEADER_WORDS) + (i % columns)];
  });
}
