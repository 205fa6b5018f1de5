import { RidgepointError } from '../errors.js';
import type { Checkpoint } from './checkpoint.js';
import { convertRun, firstNonFinite, nonFiniteError, rangeError, SOURCE_BYTES, TARGET_BYTES } from './convert.js';
import type { Bits, ConvertRun, TargetDtype, TensorDtype } from './convert.js';
import { checkLayout, mapRow, rowUnit, sourceRows } from './layout.js';
import type { FusedMatrix, RowMap } from './layout.js';

export interface StreamOptions {
  readonly to: TargetDtype;
  /** Elements from one row to the next; at least `cols`, the default. What lies between rows is zero. */
  readonly strideCols?: number;
  /** The rows of the matrix to stream; all by default. */
  readonly rowsBegin?: number;
  readonly rowsEnd?: number;
  /** Size a slab should not exceed, in bytes; 8 MiB by default. A slab holds at least one head or pair of rows. */
  readonly slabBytes?: number;
  /** A slab, but for the last, holds a multiple of so many rows, counted from `rowsBegin`; 1 by default. */
  readonly rowsMultiple?: number;
  /** Refuse NaN and infinite weights. */
  readonly check?: boolean;
}

/** Consecutive rows of a fused matrix. */
export interface Slab {
  readonly rowsBegin: number;
  readonly rows: number;
  /** rows x strideCols little-endian values of dtype `to`. Valid until the next slab is asked for. */
  readonly bytes: Uint8Array;
}

const DEFAULT_SLAB_BYTES = 8 << 20;

interface Part {
  readonly tensor: string;
  readonly map: RowMap;
  readonly dtype: TensorDtype;
  readonly run: ConvertRun;
}

/** A contiguous piece of one tensor: where it comes from, and where it lies in the read buffer. */
interface Piece {
  readonly part: Part;
  readonly firstRow: number;
  readonly endRow: number;
  readonly bufferOffset: number;
  readonly bytes: number;
}

interface Plan {
  readonly rowsBegin: number;
  readonly rowsEnd: number;
  readonly pieces: readonly Piece[];
  readonly bytes: number;
}

function planSlabs(
  matrix: FusedMatrix,
  parts: readonly Part[],
  begin: number,
  end: number,
  slabRows: number,
  multiple: number,
): Plan[] {
  const own = rowUnit(matrix);
  let unit = own;
  while (unit % multiple !== 0) unit += own;
  const plans: Plan[] = [];
  for (let row = begin; row < end;) {
    const aligned = Math.floor((row + slabRows) / unit) * unit;
    const next = Math.min(end, aligned > row ? aligned : row + unit);
    const pieces: Piece[] = [];
    let offset = 0;
    parts.forEach((part, i) => {
      const [firstRow, endRow] = sourceRows(matrix.parts[i], row, next);
      if (firstRow === endRow) return;
      const bytes = (endRow - firstRow) * matrix.cols * SOURCE_BYTES[part.dtype];
      pieces.push({ part, firstRow, endRow, bufferOffset: offset, bytes });
      offset += Math.ceil(bytes / 4) * 4; // so that 4-byte values stay aligned
    });
    plans.push({ rowsBegin: row, rowsEnd: next, pieces, bytes: offset });
    row = next;
  }
  return plans;
}

function bitsOf(buffer: ArrayBuffer, size: 2 | 4): Bits {
  return size === 2 ? new Uint16Array(buffer) : new Uint32Array(buffer);
}

/** Converts the rows of a piece that belong to the slab and puts each in its place. */
function scatter(
  plan: Plan,
  piece: Piece,
  src: Bits,
  dst: Bits,
  cols: number,
  stride: number,
  to: TargetDtype,
  check: boolean,
) {
  const { tensor, map, dtype, run } = piece.part;
  const base = piece.bufferOffset / SOURCE_BYTES[dtype];
  const elementAt = (index: number) => piece.firstRow * cols + (index - base);
  const convertRow = (s: number, row: number, n: number) => {
    const nonFinite = check ? firstNonFinite(src, s, n, dtype) : -1;
    if (nonFinite >= 0) throw nonFiniteError(tensor, elementAt(nonFinite), src[nonFinite], dtype);
    const bad = run(src, s, dst, (row - plan.rowsBegin) * stride, n);
    if (bad >= 0) throw rangeError(tensor, elementAt(bad), src[bad], dtype, to);
  };
  if (map.kind === 'block' && stride === cols) {
    convertRow(base, mapRow(map, piece.firstRow), (piece.endRow - piece.firstRow) * cols);
    return;
  }
  for (let r = piece.firstRow; r < piece.endRow; r++) {
    const row = mapRow(map, r);
    if (row >= plan.rowsBegin && row < plan.rowsEnd) convertRow(base + (r - piece.firstRow) * cols, row, cols);
  }
}

async function readPieces(checkpoint: Checkpoint, plan: Plan, cols: number, buffer: ArrayBuffer): Promise<void> {
  await Promise.all(
    plan.pieces.map(({ part, firstRow, bufferOffset, bytes }) =>
      checkpoint.readRange(
        part.tensor,
        firstRow * cols * SOURCE_BYTES[part.dtype],
        new Uint8Array(buffer, bufferOffset, bytes),
      ),
    ),
  );
}

/**
 * Streams rows of a fused matrix, converted, in slabs of consecutive rows. The tensors are read in contiguous ranges,
 * the next slab's while this one is being used; host memory is one slab and two read buffers whatever the model's size.
 *
 * All slabs share one buffer: a slab's bytes are valid until the next one is asked for.
 *
 * @throws RidgepointError('checkpoint') if a tensor is missing, has another shape, cannot be read, or holds a value that
 *   the target dtype cannot
 */
export async function* streamFused(
  checkpoint: Checkpoint,
  matrix: FusedMatrix,
  options: StreamOptions,
): AsyncGenerator<Slab, void, undefined> {
  const { cols } = matrix;
  const { to, strideCols = cols, rowsBegin = 0, rowsEnd = matrix.rows, rowsMultiple = 1, check = false } = options;
  if (!(rowsBegin >= 0 && rowsBegin <= rowsEnd && rowsEnd <= matrix.rows && strideCols >= cols)) {
    const asked = `rows ${rowsBegin} to ${rowsEnd} at a stride of ${strideCols}`;
    throw new RidgepointError('internal', `${matrix.name}: ${asked} do not fit [${matrix.rows}, ${cols}]`);
  }
  const complete = checkLayout(matrix);
  const parts = matrix.parts.map(({ tensor, rows, map }): Part => {
    const isVector = rows === 1 && checkpoint.tensors.get(tensor)?.shape.length === 1;
    const { dtype } = checkpoint.require(tensor, isVector ? [cols] : [rows, cols]);
    return { tensor, map, dtype, run: convertRun(dtype, to) };
  });

  const rowBytes = strideCols * TARGET_BYTES[to];
  const slabRows = Math.max(1, Math.floor((options.slabBytes ?? DEFAULT_SLAB_BYTES) / rowBytes));
  const plans = planSlabs(matrix, parts, rowsBegin, rowsEnd, slabRows, rowsMultiple);
  const mostRows = Math.max(0, ...plans.map((plan) => plan.rowsEnd - plan.rowsBegin));
  const mostRead = Math.max(0, ...plans.map((plan) => plan.bytes));
  const staging = new Uint8Array(mostRows * rowBytes);
  const dst = bitsOf(staging.buffer, TARGET_BYTES[to]);
  const buffers = [0, 1].slice(0, plans.length).map(() => {
    const buffer = new ArrayBuffer(mostRead);
    return { buffer, bits: { 2: bitsOf(buffer, 2), 4: bitsOf(buffer, 4) } };
  });

  const read = (i: number) => {
    const pending = readPieces(checkpoint, plans[i], cols, buffers[i % 2].buffer);
    pending.catch(() => {}); // it is awaited later; until then a failure must not count as unhandled
    return pending;
  };
  let pending = plans.length > 0 ? read(0) : undefined;
  try {
    for (let i = 0; i < plans.length; i++) {
      const plan = plans[i];
      await pending;
      pending = i + 1 < plans.length ? read(i + 1) : undefined;
      if (!complete) staging.fill(0);
      for (const piece of plan.pieces) {
        const src = buffers[i % 2].bits[SOURCE_BYTES[piece.part.dtype]];
        scatter(plan, piece, src, dst, cols, strideCols, to, check);
      }
      const rows = plan.rowsEnd - plan.rowsBegin;
      yield { rowsBegin: plan.rowsBegin, rows, bytes: staging.subarray(0, rows * rowBytes) };
    }
  } finally {
    await pending?.catch(() => {}); // the caller may close the checkpoint next
  }
}
