import { f32ToF16 } from '../checkpoint/float.js';
import { groupsOf, middleOf, scaleWords, type QuantFormat } from './formats.js';
import type { QuantizedRows } from './quantize.js';

/**
 * Rows of a matrix as GPTQ stores them, transposed. A 32-bit word holds 4 or 8 inputs of a row from its lowest bits up,
 * just as the words of `QuantizedRows` do, so that going from one to the other moves whole words.
 */
export interface GptqRows {
  readonly rows: number;
  /** [words of a row][rows] */
  readonly words: Uint32Array<ArrayBuffer>;
  /** [groups][rows], f16 bits. */
  readonly scales: Uint16Array<ArrayBuffer>;
  /** [groups][rows] */
  readonly zeros: Uint8Array<ArrayBuffer>;
}

/** Words that hold `count` quants, the last filled up. */
export function wordsFor(count: number, bits: number): number {
  return Math.ceil((count * bits) / 32);
}

/** Room for rows. @param columns their true number */
export function gptqRows(rows: number, columns: number, format: QuantFormat): GptqRows {
  const groups = groupsOf(columns, format);
  return {
    rows,
    words: new Uint32Array(wordsFor(columns, format.bits) * rows),
    scales: new Uint16Array(groups * rows),
    zeros: new Uint8Array(groups * rows),
  };
}

/** Rows moved together, so that what is read or written across them shares cache lines. */
const BLOCK = 16;

/** f16 bits of the whole numbers that a zero may be, and back. */
const HALVES = Uint16Array.from({ length: 256 }, (_, zero) =>
  f32ToF16(new Uint32Array(Float32Array.of(zero).buffer)[0]),
);
const WHOLES = new Uint8Array(65536);
HALVES.forEach((half, zero) => (WHOLES[half] = zero));

const wordsIn = ({ quants }: QuantizedRows): Uint32Array =>
  new Uint32Array(quants.buffer, quants.byteOffset, quants.length / 4);

/** Rows of a quantiser: `stride` columns, a multiple of 8, of which the first `columns` count. */
interface PaddedRows {
  readonly stride: number;
  readonly columns: number;
  readonly format: QuantFormat;
}

/**
 * Puts quantised rows into their place among more rows.
 *
 * @param at the place of the first row in `into`
 */
export function toGptq(
  from: QuantizedRows,
  { rows, stride, columns, format }: PaddedRows & { readonly rows: number },
  into: GptqRows,
  at: number,
): void {
  const source = wordsIn(from);
  const stridden = wordsFor(stride, format.bits);
  const words = wordsFor(columns, format.bits);
  const groups = groupsOf(columns, format);
  const perRow = scaleWords(stride, format);
  const middle = middleOf(format);
  for (let begin = 0; begin < rows; begin += BLOCK) {
    const end = Math.min(begin + BLOCK, rows);
    for (let word = 0; word < words; word++) {
      const to = word * into.rows + at;
      for (let row = begin; row < end; row++) into.words[to + row] = source[row * stridden + word];
    }
    for (let group = 0; group < groups; group++) {
      const to = group * into.rows + at;
      for (let row = begin; row < end; row++) {
        if (format.symmetric) {
          into.scales[to + row] = from.scales[row * perRow + (group >> 1)] >>> (16 * (group & 1));
          into.zeros[to + row] = middle;
        } else {
          const both = from.scales[row * perRow + group];
          into.scales[to + row] = both;
          into.zeros[to + row] = WHOLES[both >>> 16];
        }
      }
    }
  }
}

/** Rows to be moved: `source[i]` of where they come from becomes `target[i]` of where they go. */
export interface PickedRows {
  readonly count: number;
  readonly source: Uint32Array;
  readonly target: Uint32Array;
}

/**
 * Takes rows out of others and pads them as the quantiser pads: with what stands for zero in a row's last group.
 *
 * @param groupSize columns that share a scale in `from`: a multiple of the format's group, or all
 */
export function fromGptq(
  from: GptqRows,
  { columns, groupSize, stride, format }: PaddedRows & { readonly groupSize: number },
  picked: PickedRows,
  into: QuantizedRows,
): void {
  const { bits, group: size, symmetric } = format;
  const { count, source, target } = picked;
  const to = wordsIn(into);
  const stridden = wordsFor(stride, bits);
  const words = wordsFor(columns, bits);
  const groups = groupsOf(columns, format);
  const perRow = scaleWords(stride, format);
  const everyQuant = bits === 8 ? 0x01010101 : 0x11111111;
  const lastGroup = Math.floor(((groups - 1) * size) / groupSize) * from.rows;
  for (let begin = 0; begin < count; begin += BLOCK) {
    const end = Math.min(begin + BLOCK, count);
    for (let word = 0; word < words; word++) {
      const at = word * from.rows;
      for (let i = begin; i < end; i++) to[target[i] * stridden + word] = from.words[at + source[i]];
    }
    if (symmetric) for (let i = begin; i < end; i++) into.scales.fill(0, target[i] * perRow, (target[i] + 1) * perRow);
    for (let group = 0; group < groups; group++) {
      const at = Math.floor((group * size) / groupSize) * from.rows;
      for (let i = begin; i < end; i++) {
        const scale = from.scales[at + source[i]];
        if (symmetric) into.scales[target[i] * perRow + (group >> 1)] |= scale << (16 * (group & 1));
        else into.scales[target[i] * perRow + group] = scale | (HALVES[from.zeros[at + source[i]]] << 16);
      }
    }
    for (let i = begin; i < end; i++) {
      const padding = Math.imul(from.zeros[lastGroup + source[i]], everyQuant);
      to.fill(padding >>> 0, target[i] * stridden + words, (target[i] + 1) * stridden);
    }
  }
}
