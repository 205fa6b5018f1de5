import { f16ToF32, f32ToF16, f32Value } from '../checkpoint/float.js';
import { groupsOf, middleOf, quantRange, scaleWords, type QuantFormat } from './formats.js';

const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

/** f16 bits of the number nearest to `value`. */
function toHalf(value: number): number {
  float[0] = value;
  return f32ToF16(floatBits[0]);
}

const fromHalf = (bits: number): number => f32Value(f16ToF32(bits));

const LARGEST_HALF = 0x7bff;

/** Rows of quants and scales, rows one after another. */
export interface QuantizedRows {
  /** [rows][columns] of 8 bits, or of 4 two to a byte, the even column in the low half. */
  readonly quants: Uint8Array<ArrayBuffer>;
  /** [rows][scaleWords] as `scaleWords` describes them. */
  readonly scales: Uint32Array<ArrayBuffer>;
}

export interface QuantizedShape {
  readonly rows: number;
  /** Those that pad a row included: a multiple of 8. */
  readonly columns: number;
  readonly format: QuantFormat;
}

/** Room for rows. */
export function quantizedRows(rows: number, columns: number, format: QuantFormat): QuantizedRows {
  return {
    quants: new Uint8Array((rows * columns * format.bits) / 8),
    scales: new Uint32Array(rows * scaleWords(columns, format)),
  };
}

/**
 * The f16 scale with which `steps` steps reach across `span`: the nearest where rounding it down leaves the ends less
 * than half a step outside, else the next one up.
 *
 * @returns its bits, or undefined where f16 holds no number that large
 */
function scaleBits(span: number, steps: number, slack: number): number | undefined {
  if (span === 0) return 0;
  const nearest = toHalf(span / steps);
  const reaches = (bits: number): boolean => fromHalf(bits) * (steps + slack) >= span;
  const bits = reaches(nearest) ? nearest : nearest + 1;
  return bits > LARGEST_HALF ? undefined : bits;
}

/** Scale (f16 bits) and zero that a group has already; undefined where it has none. */
export type GivenScales = (row: number, group: number) => { readonly scale: number; readonly zero: number } | undefined;

/**
 * Quantises rows group by group, each weight to the nearest multiple of its group's scale. Scales are rounded to f16
 * first, so that a weight comes back within half a step of the scale that is stored.
 *
 * A symmetric scale is the group's largest magnitude over 127 or 7. With zero points, the range that the 256 or 16
 * values span is the group's from its least to its largest number, and always holds zero, which therefore is exact.
 *
 * @param values [rows][columns], finite; what pads a row is zero
 * @param into filled; its size is that of `quantizedRows`
 * @param given what groups were scaled by where weights come from quants; for formats with zero points
 * @returns index of a value too large for a scale in f16, or -1
 */
export function quantizeRows(
  values: Float32Array,
  { rows, columns, format }: QuantizedShape,
  { quants, scales }: QuantizedRows,
  given?: GivenScales,
): number {
  const { bits, group, symmetric } = format;
  const { least, most } = quantRange(format);
  const groups = groupsOf(columns, format);
  const words = scaleWords(columns, format);
  const middle = middleOf(format);
  for (let row = 0; row < rows; row++) {
    const from = row * columns;
    let pair = 0;
    for (let g = 0; g < groups; g++) {
      const begin = from + g * group;
      const end = Math.min(begin + group, from + columns);
      let low = 0;
      let high = 0;
      for (let i = begin; i < end; i++) {
        const value = values[i];
        if (value < low) low = value;
        else if (value > high) high = value;
      }
      const known = symmetric ? undefined : given?.(row, g);
      const half =
        known !== undefined
          ? known.scale
          : symmetric
            ? scaleBits(Math.max(high, -low), most - middle, 0.5)
            : scaleBits(high - low, most, 0);
      if (half === undefined) return begin + values.subarray(begin, end).indexOf(high > -low ? high : low);
      const scale = fromHalf(half);
      const inverse = half === 0 ? 0 : 1 / scale;
      const zero =
        known !== undefined ? known.zero : symmetric ? middle : Math.max(0, Math.min(most, Math.round(-low * inverse)));
      if (symmetric) {
        // Kept until both are there: what is written to may be slow to read.
        pair = g % 2 === 0 ? half : pair | (half << 16);
        if (g % 2 === 1 || g === groups - 1) scales[row * words + (g >> 1)] = pair;
      } else {
        scales[row * words + g] = half | (toHalf(zero) << 16);
      }
      if (bits === 8) {
        for (let i = begin; i < end; i++) {
          const q = Math.round(values[i] * inverse) + zero;
          quants[i] = q < least ? least : q > most ? most : q;
        }
      } else {
        for (let i = begin; i < end; i += 2) {
          let q = Math.round(values[i] * inverse) + zero;
          let r = Math.round(values[i + 1] * inverse) + zero;
          q = q < least ? least : q > most ? most : q;
          r = r < least ? least : r > most ? most : r;
          quants[i >> 1] = q | (r << 4);
        }
      }
    }
  }
  return -1;
}

/** The quant of a row-major index. */
export function quantAt(quants: Uint8Array, index: number, { bits }: QuantFormat): number {
  return bits === 8 ? quants[index] : (quants[index >> 1] >> (4 * (index % 2))) & 0xf;
}

/** Scale and zero of a group. @param row the words of the row's scales */
export function scaleAt(row: Uint32Array, group: number, format: QuantFormat): { scale: number; zero: number } {
  if (format.symmetric) {
    return { scale: fromHalf((row[group >> 1] >>> (16 * (group % 2))) & 0xffff), zero: middleOf(format) };
  }
  return { scale: fromHalf(row[group] & 0xffff), zero: fromHalf(row[group] >>> 16) };
}

/** The weights that quants stand for, each exact in float64. @returns [rows][columns] */
export function dequantizeRows(
  { quants, scales }: QuantizedRows,
  rows: number,
  columns: number,
  format: QuantFormat,
): Float64Array {
  const words = scaleWords(columns, format);
  const values = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const own = scales.subarray(row * words, (row + 1) * words);
    for (let col = 0; col < columns; col++) {
      const { scale, zero } = scaleAt(own, Math.floor(col / format.group), format);
      const index = row * columns + col;
      values[index] = scale * (quantAt(quants, index, format) - zero);
    }
  }
  return values;
}

/** A word that holds a scale and a zero as a format with zero points stores them; for checkpoints quantised elsewhere. */
export function scaleAndZero(scale: number, zero: number): number {
  return (toHalf(scale) | (toHalf(zero) << 16)) >>> 0;
}
