import { RidgepointError } from '../../errors.js';
import type { Checkpoint } from '../checkpoint.js';
import type { PackedMatrix } from '../packed/format.js';
import { halfScales } from '../packed/scales.js';
import type { QuantWindow } from '../quants.js';

/** Reads in flight where a window lies in as many pieces as a tensor has rows. */
const READS_AT_ONCE = 256;

/** Columns of a tensor [rows, rowBytes], from byte `begin` to byte `end` of a row. */
interface Columns {
  readonly tensor: string;
  readonly rows: number;
  readonly rowBytes: number;
  readonly begin: number;
  readonly end: number;
}

/** @returns [rows][end - begin] */
async function readColumns(
  checkpoint: Checkpoint,
  { tensor, rows, rowBytes, begin, end }: Columns,
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
export async function readQuantWindow(
  checkpoint: Checkpoint,
  matrix: PackedMatrix,
  begin: number,
  end: number,
): Promise<QuantWindow> {
  const { name, inputs, outputs, groups, bits, symmetric, scaleDtype } = matrix;
  const pack = 32 / bits;
  // Zeros are packed along the outputs, so a window begins and ends between words of them.
  const first = begin - (begin % pack);
  const last = Math.min(outputs, Math.ceil(end / pack) * pack);
  const rows = last - first;
  const zeroWords = Math.ceil(outputs / pack);
  const scaleSize = scaleDtype === 'F32' ? 4 : 2;
  const part = (ending: string, columns: Omit<Columns, 'tensor'>): Promise<ArrayBuffer> =>
    readColumns(checkpoint, { tensor: `${name}.${ending}`, ...columns });
  const [words, scaleBytes, zeroBytes] = await Promise.all([
    part('qweight', { rows: Math.ceil(inputs / pack), rowBytes: 4 * outputs, begin: 4 * first, end: 4 * last }),
    part('scales', {
      ...{ rows: groups, rowBytes: scaleSize * outputs },
      ...{ begin: scaleSize * first, end: scaleSize * last },
    }),
    part('qzeros', {
      ...{ rows: groups, rowBytes: 4 * zeroWords },
      ...{ begin: (4 * first) / pack, end: 4 * Math.ceil(last / pack) },
    }),
  ]);
  const scales = halfScales(scaleBytes, scaleDtype);
  const infinite = scales.findIndex((value) => (value & 0x7c00) === 0x7c00);
  if (infinite >= 0) {
    const element = Math.floor(infinite / rows) * outputs + first + (infinite % rows);
    throw damaged(`${name}.scales: element ${element} is not a finite number`);
  }
  const zeros = unpackZeros(matrix, new Uint32Array(zeroBytes), rows);
  const middle = 2 ** (bits - 1);
  const other = symmetric === true ? zeros.findIndex((zero) => zero !== middle) : -1;
  if (other >= 0) {
    const place = `output ${first + (other % rows)} of group ${Math.floor(other / rows)}`;
    throw damaged(`${name}.qzeros: ${place} has a zero of ${zeros[other]}, but config.json says all are ${middle}`);
  }
  return { begin: first, rows, words: new Uint32Array(words), scales, zeros };
}

function unpackZeros({ groups, bits, zeroOffset }: PackedMatrix, words: Uint32Array, rows: number) {
  const pack = 32 / bits;
  const mask = 2 ** bits - 1;
  const perGroup = Math.ceil(rows / pack);
  const zeros = new Uint8Array(groups * rows);
  for (let group = 0; group < groups; group++) {
    for (let row = 0; row < rows; row++) {
      const word = words[group * perGroup + Math.floor(row / pack)];
      zeros[group * rows + row] = ((word >>> (bits * (row % pack))) + zeroOffset) & mask;
    }
  }
  return zeros;
}

function damaged(message: string): RidgepointError {
  return new RidgepointError('checkpoint', `${message}; the checkpoint is damaged`);
}
