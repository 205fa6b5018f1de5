import { mapRow, sourceRows, type FusedPart } from '../checkpoint/layout.js';
import type { QuantWindow } from '../checkpoint/quants.js';
import { RidgepointError } from '../errors.js';
import type { UploadRing } from '../gpu/upload-ring.js';
import { rowBytes, type WeightPart } from '../kernels/weights.js';
import { fromGptq, type PickedRows } from '../quantization/gptq.js';
import { quantizedRows, type QuantizedRows } from '../quantization/quantize.js';
import type { LoadWay } from './load-plan.js';
import { writeQuantized } from './row-writer.js';

/** Packed bytes held at once. Most matrices are smaller and are read in one piece. */
const WINDOW_BYTES = 64 << 20;

/** The rows of a part that a run of a matrix's rows is made of. @param from the first row there is */
function pick(part: FusedPart, [begin, end]: readonly [number, number], from: number): PickedRows {
  const [first, last] = sourceRows(part, begin, end);
  const rows = new Uint32Array(last - first);
  const targets = new Uint32Array(last - first);
  let count = 0;
  for (let row = first; row < last; row++) {
    const target = mapRow(part.map, row);
    if (target < begin || target >= end) continue;
    rows[count] = row - from;
    targets[count++] = target - begin;
  }
  return { count, source: rows, target: targets };
}

/** Where quants come from and go to. */
export interface TakeRequest extends Omit<LoadWay<'take'>, 'way'> {
  readonly ring: UploadRing;
}

/**
 * Brings quants to a matrix as they lie in the checkpoint.
 *
 * @param slabBytes of one upload
 * @param windowBytes held at once
 * @returns bytes written, slab by slab
 */
export async function* takeQuants(
  request: TakeRequest,
  slabBytes: number,
  windowBytes = WINDOW_BYTES,
): AsyncGenerator<number, void, undefined> {
  for (const part of request.matrix.parts) yield* takePart(request, part, { slabBytes, windowBytes });
}

async function* takePart(
  { ring, source, quants, matrix, format }: TakeRequest,
  part: WeightPart,
  { slabBytes, windowBytes }: { readonly slabBytes: number; readonly windowBytes: number },
): AsyncGenerator<number, void, undefined> {
  const { stride, dtype, lanes } = matrix;
  const bytes = rowBytes(stride, dtype);
  const fit = (most: number): number => Math.max(lanes, Math.floor(most / bytes / lanes) * lanes);
  const windowRows = fit(windowBytes);
  const slabRows = fit(slabBytes);
  const partEnd = part.rowBegin + part.rows;
  for (let begin = part.rowBegin; begin < partEnd; begin += windowRows) {
    const end = Math.min(begin + windowRows, partEnd);
    const windows = await Promise.all(
      quants.map(async ({ window }, i): Promise<QuantWindow | undefined> => {
        const [first, last] = sourceRows(source.parts[i], begin, end);
        return first === last ? undefined : window(first, last);
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
        const picked = pick(source.parts[i], [row, last], window.begin);
        fromGptq(window, { columns: source.cols, groupSize: quants[i].groupSize, stride, format }, picked, slab);
        filled += picked.count;
      }
      // Every matrix of a model is covered by its parts.
      if (filled !== rows) throw new RidgepointError('internal', `${source.name}: ${filled} of ${rows} rows found`);
      yield await writeQuantized({ ring, matrix, format, part }, { rowsBegin: row, rows, ...slab });
    }
  }
}
