import { RidgepointError } from '../errors.js';
import type { Checkpoint } from './checkpoint.js';
import { f32ToF16 } from './float.js';

/** Consecutive outputs of a packed matrix as GPTQ stores them, transposed. */
export interface PackedWindow {
  /** The first output; at most the one asked for. */
  readonly begin: number;
  /** Outputs. */
  readonly rows: number;
  /** [words of a row][rows]: 4 or 8 inputs to a word, the first in the lowest bits. */
  readonly words: Uint32Array<ArrayBuffer>;
  /** [groups][rows], f16 bits. */
  readonly scales: Uint16Array<ArrayBuffer>;
  /** [groups][rows] */
  readonly zeros: Uint8Array<ArrayBuffer>;
}

/** A packed matrix [outputs, inputs] whose groups are runs of columns. */
export interface PackedRows {
  readonly inputs: number;
  readonly outputs: number;
  readonly bits: 4 | 8;
  readonly groupSize: number;
  /** Every zero is the middle of the quants; reading refuses another. */
  readonly symmetric: boolean;
  /** Reads the outputs from `begin` to `end` and few beside them. */
  readonly read: (begin: number, end: number) => Promise<PackedWindow>;
}

/** What scales are stored in. */
export type ScaleDtype = 'F16' | 'BF16' | 'F32';

/** Scales as f16 bits; one beyond f16's range becomes an infinity. */
export function halfScales(bytes: ArrayBuffer, dtype: ScaleDtype): Uint16Array<ArrayBuffer> {
  if (dtype === 'F16') return new Uint16Array(bytes);
  const bits =
    dtype === 'F32' ? new Uint32Array(bytes) : Uint32Array.from(new Uint16Array(bytes), (half) => half << 16);
  return Uint16Array.from(bits, (value) => f32ToF16(value >>> 0));
}

interface Packed {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly groups: number;
  readonly bits: 4 | 8;
  readonly symmetric: boolean | undefined;
  readonly zeroOffset: 0 | 1;
  readonly scaleDtype: ScaleDtype;
}

/** Reads in flight where a window lies in as many pieces as a tensor has rows. */
const READS_AT_ONCE = 256;

/** Columns of a tensor [rows, rowBytes] from byte `begin` to byte `end` of a row. @returns [rows][end - begin] */
async function readColumns(
  checkpoint: Checkpoint,
  tensor: string,
  rows: number,
  rowBytes: number,
  begin: number,
  end: number,
): Promise<ArrayBuffer> {
  const width = end - begin;
  const bytes = new Uint8Array(rows * width);
  if (width === rowBytes) await checkpoint.readRange(tensor, 0, bytes);
  else {
    for (let row = 0; row < rows; row += READS_AT_ONCE) {
      const some = Array.from({ length: Math.min(READS_AT_ONCE, rows - row) }, (_, i) => row + i);
      await Promise.all(
        some.map((each) =>
          checkpoint.readRange(tensor, each * rowBytes + begin, bytes.subarray(each * width, (each + 1) * width)),
        ),
      );
    }
  }
  return bytes.buffer;
}

/**
 * Reads outputs of a matrix that GPTQ packed.
 *
 * @throws RidgepointError naming the tensor whose numbers cannot be true
 */
export async function readWindow(
  checkpoint: Checkpoint,
  { name, inputs, outputs, groups, bits, symmetric, zeroOffset, scaleDtype }: Packed,
  begin: number,
  end: number,
): Promise<PackedWindow> {
  const pack = 32 / bits;
  // Zeros are packed along the outputs, so a window begins and ends between words of them.
  const first = begin - (begin % pack);
  const last = Math.min(outputs, Math.ceil(end / pack) * pack);
  const rows = last - first;
  const zeroWords = Math.ceil(outputs / pack);
  const scaleSize = scaleDtype === 'F32' ? 4 : 2;
  const read = (part: string, count: number, width: number, from: number, to: number): Promise<ArrayBuffer> =>
    readColumns(checkpoint, `${name}.${part}`, count, width, from, to);
  const [words, scaleBytes, zeroBytes] = await Promise.all([
    read('qweight', Math.ceil(inputs / pack), 4 * outputs, 4 * first, 4 * last),
    read('scales', groups, scaleSize * outputs, scaleSize * first, scaleSize * last),
    read('qzeros', groups, 4 * zeroWords, (4 * first) / pack, 4 * Math.ceil(last / pack)),
  ]);
  const scales = halfScales(scaleBytes, scaleDtype);
  const infinite = scales.findIndex((value) => (value & 0x7c00) === 0x7c00);
  if (infinite >= 0) {
    const element = Math.floor(infinite / rows) * outputs + first + (infinite % rows);
    throw damaged(`${name}.scales: element ${element} is not a finite number`);
  }
  const zeros = unpackZeros(new Uint32Array(zeroBytes), groups, rows, bits, zeroOffset);
  const middle = 2 ** (bits - 1);
  const other = symmetric === true ? zeros.findIndex((zero) => zero !== middle) : -1;
  if (other >= 0) {
    const place = `output ${first + (other % rows)} of group ${Math.floor(other / rows)}`;
    throw damaged(`${name}.qzeros: ${place} has a zero of ${zeros[other]}, but config.json says all are ${middle}`);
  }
  return { begin: first, rows, words: new Uint32Array(words), scales, zeros };
}

function unpackZeros(words: Uint32Array, groups: number, rows: number, bits: number, offset: number) {
  const pack = 32 / bits;
  const mask = 2 ** bits - 1;
  const perGroup = Math.ceil(rows / pack);
  const zeros = new Uint8Array(groups * rows);
  for (let group = 0; group < groups; group++) {
    for (let row = 0; row < rows; row++) {
      const word = words[group * perGroup + Math.floor(row / pack)];
      zeros[group * rows + row] = ((word >>> (bits * (row % pack))) + offset) & mask;
    }
  }
  return zeros;
}

function damaged(message: string): RidgepointError {
  return new RidgepointError('checkpoint', `${message}; the checkpoint is damaged`);
}
