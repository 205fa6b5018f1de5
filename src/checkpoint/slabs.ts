import { RidgepointError } from '../errors.js';
import type { Checkpoint } from './checkpoint.js';
import { convertRun, firstNonFinite, nonFiniteError, rangeError, SOURCE_BYTES, TARGET_BYTES } from './convert.js';
import type { Bits, ConvertRun, TargetDtype, TensorDtype } from './convert.js';
import { checkLayout, mapRow, rowUnit, sourceRows } from './layout.js';
import type { FusedMatrix, RowMap } from './layout.js';

/** Rows of a fused matrix that are to be streamed, and what as. */
export interface SlabOptions {
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

/** Consecutive rows of a matrix and the pieces of tensors that they are made of. */
export interface SlabPlan {
  readonly rowsBegin: number;
  readonly rows: number;
  readonly pieces: readonly Piece[];
  /** Bytes that are read for it. */
  readonly readBytes: number;
  /** Bytes it is made into. */
  readonly bytes: number;
  readonly form: Form;
}

/** What the slabs of a matrix have in common. */
interface Form {
  readonly cols: number;
  readonly stride: number;
  readonly to: TargetDtype;
  readonly check: boolean;
  /** Whether every row comes from a tensor. */
  readonly complete: boolean;
}

/**
 * Cuts rows of a matrix into slabs.
 *
 * @throws RidgepointError('checkpoint') if a tensor is missing or has another shape
 */
export function planSlabs(checkpoint: Checkpoint, matrix: FusedMatrix, options: SlabOptions): SlabPlan[] {
  const { cols } = matrix;
  const { to, strideCols: stride = cols, rowsBegin = 0, rowsEnd = matrix.rows, rowsMultiple = 1 } = options;
  if (!(rowsBegin >= 0 && rowsBegin <= rowsEnd && rowsEnd <= matrix.rows && stride >= cols)) {
    const asked = `rows ${rowsBegin} to ${rowsEnd} at a stride of ${stride}`;
    throw new RidgepointError('internal', `${matrix.name}: ${asked} do not fit [${matrix.rows}, ${cols}]`);
  }
  const complete = checkLayout(matrix);
  const form: Form = { cols, stride, to, check: options.check ?? false, complete };
  const parts = matrix.parts.map(({ tensor, rows, map }): Part => {
    const isVector = (rows === 1 || cols === 1) && checkpoint.tensors.get(tensor)?.shape.length === 1;
    const { dtype } = checkpoint.require(tensor, isVector ? [rows * cols] : [rows, cols]);
    return { tensor, map, dtype, run: convertRun(dtype, to) };
  });
  const rowBytes = stride * TARGET_BYTES[to];
  const slabRows = Math.max(1, Math.floor((options.slabBytes ?? DEFAULT_SLAB_BYTES) / rowBytes));
  const own = rowUnit(matrix);
  let unit = own;
  while (unit % rowsMultiple !== 0) unit += own;
  const plans: SlabPlan[] = [];
  for (let row = rowsBegin; row < rowsEnd;) {
    const aligned = Math.floor((row + slabRows) / unit) * unit;
    const next = Math.min(rowsEnd, aligned > row ? aligned : row + unit);
    const pieces: Piece[] = [];
    let offset = 0;
    parts.forEach((part, i) => {
      const [firstRow, endRow] = sourceRows(matrix.parts[i], row, next);
      if (firstRow === endRow) return;
      const bytes = (endRow - firstRow) * cols * SOURCE_BYTES[part.dtype];
      pieces.push({ part, firstRow, endRow, bufferOffset: offset, bytes });
      offset += Math.ceil(bytes / 4) * 4; // so that 4-byte values stay aligned
    });
    plans.push({ rowsBegin: row, rows: next - row, pieces, readBytes: offset, bytes: (next - row) * rowBytes, form });
    row = next;
  }
  return plans;
}

/** Reads the pieces of a slab. @param buffer room for its `readBytes` */
export async function readSlab(checkpoint: Checkpoint, { pieces, form }: SlabPlan, buffer: ArrayBuffer): Promise<void> {
  await Promise.all(
    pieces.map(({ part, firstRow, bufferOffset, bytes }) =>
      checkpoint.readRange(
        part.tensor,
        firstRow * form.cols * SOURCE_BYTES[part.dtype],
        new Uint8Array(buffer, bufferOffset, bytes),
      ),
    ),
  );
}

function bitsOf(buffer: ArrayBuffer, size: 2 | 4, begin = 0, bytes = buffer.byteLength): Bits {
  return size === 2 ? new Uint16Array(buffer, begin, bytes >> 1) : new Uint32Array(buffer, begin, bytes >> 2);
}

/**
 * Makes a slab of what was read for it. What it is made in is written once and not read.
 *
 * @param into its `bytes`, beginning on a multiple of 4
 * @throws RidgepointError('checkpoint') naming the element that the target dtype cannot hold
 */
export function makeSlab(plan: SlabPlan, read: ArrayBuffer, into: Uint8Array<ArrayBuffer>): void {
  const { cols, stride, to, complete } = plan.form;
  const target = bitsOf(into.buffer, TARGET_BYTES[to], into.byteOffset, plan.bytes);
  if (!complete) target.fill(0);
  else if (stride > cols) {
    for (let row = 1; row <= plan.rows; row++) target.fill(0, row * stride - (stride - cols), row * stride);
  }
  for (const piece of plan.pieces) scatter(plan, piece, bitsOf(read, SOURCE_BYTES[piece.part.dtype]), target);
}

/** Converts the rows of a piece that belong to the slab and puts each in its place. */
function scatter({ rowsBegin, rows, form }: SlabPlan, piece: Piece, src: Bits, dst: Bits): void {
  const { cols, stride, to, check } = form;
  const { tensor, map, dtype, run } = piece.part;
  const base = piece.bufferOffset / SOURCE_BYTES[dtype];
  const elementAt = (index: number): number => piece.firstRow * cols + (index - base);
  const convertRow = (s: number, row: number, n: number): void => {
    const nonFinite = check ? firstNonFinite(src, s, n, dtype) : -1;
    if (nonFinite >= 0) throw nonFiniteError(tensor, elementAt(nonFinite), src[nonFinite], dtype);
    const bad = run(src, s, dst, (row - rowsBegin) * stride, n);
    if (bad >= 0) throw rangeError(tensor, elementAt(bad), src[bad], dtype, to);
  };
  if (map.kind === 'block' && stride === cols) {
    convertRow(base, mapRow(map, piece.firstRow), (piece.endRow - piece.firstRow) * cols);
    return;
  }
  for (let r = piece.firstRow; r < piece.endRow; r++) {
    const row = mapRow(map, r);
    if (row >= rowsBegin && row < rowsBegin + rows) convertRow(base + (r - piece.firstRow) * cols, row, cols);
  }
}
