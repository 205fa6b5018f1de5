import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { mapRow, sourceRows, type FusedMatrix } from '../checkpoint/layout.js';
import { isPacked } from '../checkpoint/packed.js';
import type { PackedRows, PackedWindow } from '../checkpoint/packed-rows.js';
import { RidgepointError } from '../errors.js';
import type { UploadRing } from '../gpu/upload-ring.js';
import { rowBytes, type WeightMatrix, type WeightPart } from '../kernels/weights.js';
import type { QuantFormat } from '../quantization/formats.js';
import { fromGptq, type PickedRows } from '../quantization/gptq.js';
import { quantizedRows, type QuantizedRows } from '../quantization/quantize.js';
import { writeQuantized } from './row-writer.js';

/** Packed bytes held at once. Most matrices are smaller and are read in one piece. */
const WINDOW_BYTES = 64 << 20;

/**
 * The packed tensors of a matrix, one for each of its parts, where a format can take their quants as they lie.
 *
 * @returns undefined where it cannot, so that weights have to be dequantised and quantised again
 */
export async function packedParts(
  checkpoint: Checkpoint,
  source: FusedMatrix,
  { bits, group, symmetric }: QuantFormat,
): Promise<PackedRows[] | undefined> {
  if (!isPacked(checkpoint)) return undefined;
  const found: PackedRows[] = [];
  for (const { tensor, rows } of source.parts) {
    const packed = await checkpoint.rowsOf(tensor);
    if (packed === undefined || packed.bits !== bits || (symmetric && !packed.symmetric)) return undefined;
    if (packed.groupSize % group !== 0 && packed.groupSize < packed.inputs) return undefined;
    checkpoint.require(tensor, [rows, source.cols]);
    found.push(packed);
  }
  return found;
}

/** The rows of a part that a run of a matrix's rows is made of, and the first of that run. */
function pick(source: FusedMatrix, part: number, begin: number, end: number, from: number): PickedRows {
  const [first, last] = sourceRows(source.parts[part], begin, end);
  const rows = new Uint32Array(last - first);
  const targets = new Uint32Array(last - first);
  let count = 0;
  for (let row = first; row < last; row++) {
    const target = mapRow(source.parts[part].map, row);
    if (target < begin || target >= end) continue;
    rows[count] = row - from;
    targets[count++] = target - begin;
  }
  return { count, source: rows, target: targets };
}

/**
 * Brings packed rows to a part of a matrix as they are.
 *
 * @param packed of `packedParts`
 * @param slabBytes of one upload
 * @param windowBytes held at once
 * @returns bytes written, slab by slab
 */
export async function* writePacked(
  ring: UploadRing,
  source: FusedMatrix,
  packed: readonly PackedRows[],
  matrix: WeightMatrix,
  format: QuantFormat,
  { rowBegin, rows: partRows, buffer }: WeightPart,
  slabBytes: number,
  windowBytes = WINDOW_BYTES,
): AsyncGenerator<number, void, undefined> {
  const { stride, dtype, lanes } = matrix;
  const bytes = rowBytes(stride, dtype);
  const fit = (most: number): number => Math.max(lanes, Math.floor(most / bytes / lanes) * lanes);
  const windowRows = fit(windowBytes);
  const slabRows = fit(slabBytes);
  const part: WeightPart = { rowBegin, rows: partRows, buffer };
  const partEnd = rowBegin + partRows;
  for (let begin = rowBegin; begin < partEnd; begin += windowRows) {
    const end = Math.min(begin + windowRows, partEnd);
    const windows = await Promise.all(
      packed.map(async ({ read }, i): Promise<PackedWindow | undefined> => {
        const [first, last] = sourceRows(source.parts[i], begin, end);
        return first === last ? undefined : read(first, last);
      }),
    );
    let slab: QuantizedRows | undefined;
    for (let row = begin; row < end; row += slabRows) {
      const last = Math.min(row + slabRows, end);
      const rows = last - row;
      if (rows !== slabRows || slab === undefined) slab = quantizedRows(rows, stride, format);
      let filled = 0;
      for (const [i, window] of windows.entries()) {
        if (window === undefined) continue;
        const picked = pick(source, i, row, last, window.begin);
        fromGptq(window, source.cols, packed[i].groupSize, picked, stride, format, slab);
        filled += picked.count;
      }
      // Every matrix of a model is covered by its parts.
      if (filled !== rows) throw new RidgepointError('internal', `${source.name}: ${filled} of ${rows} rows found`);
      yield await writeQuantized(ring, matrix, format, part, row, rows, slab);
    }
  }
}
