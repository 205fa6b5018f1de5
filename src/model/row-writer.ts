import { mapRow, tensorOfRow } from '../checkpoint/layout.js';
import type { Slab, SlabRoom } from '../checkpoint/stream.js';
import { RidgepointError } from '../errors.js';
import { option, words } from '../wording.js';
import type { UploadRing } from '../gpu/upload-ring.js';
import { interleaveRows, paddedRows, scalesBegin, unitBytes } from '../kernels/weights.js';
import type { RowOrder, WeightMatrix, WeightPart } from '../kernels/weights.js';
import { scaleWords, type QuantFormat } from '../quantization/formats.js';
import { quantizedRows, quantizeRows, type GivenScales, type QuantizedRows } from '../quantization/quantize.js';
import type { LoadWay } from './load-plan.js';

/** How slabs of a matrix become a part of it. */
export interface RowWriter {
  /** Where slabs are best made; in memory of the stream's when absent. */
  readonly room?: SlabRoom;
  /** Brings the rows of a slab to the GPU as the part keeps them. @returns bytes written */
  readonly write: (part: WeightPart, slab: Slab) => number | Promise<number>;
}

type Bytes = Uint8Array<ArrayBuffer>;

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>): Bytes =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** How the rows of a matrix lie. */
type Order = Pick<RowOrder, 'unitBytes' | 'lanes'>;

/** Rows in the order of a layout. @param to room for the last block filled up */
function layOut(bytes: Bytes, rows: number, { unitBytes, lanes }: Order, to: Bytes): void {
  if (lanes === 1) return to.set(bytes);
  if (rows % lanes > 0) to.fill(0, Math.floor(rows / lanes) * lanes * (bytes.length / rows));
  interleaveRows(bytes, { rows, rowBytes: bytes.length / rows, unitBytes, lanes }, to);
}

/** Writes rows as they are, in the order of the matrix. @param matrix undefined for a vector */
export function floatRows(ring: UploadRing, matrix: WeightMatrix | undefined): RowWriter {
  const { lanes, dtype } = matrix ?? { lanes: 1, dtype: 'f32' };
  // An odd f16 row, which would be no whole number of words, cannot occur because strides are padded.
  const place = (part: WeightPart, { rowsBegin, rows, bytes }: Slab): number =>
    (rowsBegin - part.rowBegin) * (bytes.length / rows);
  if (lanes === 1) {
    return {
      room: (bytes) => ring.room(bytes),
      write: (part, slab) => {
        ring.copy(slab.bytes, part.buffer, place(part, slab));
        return slab.bytes.length;
      },
    };
  }
  return {
    write: async (part, slab) => {
      const { rows, bytes } = slab;
      const ordered = await ring.room((bytes.length / rows) * paddedRows(rows, lanes));
      layOut(bytes, rows, { unitBytes: unitBytes(dtype), lanes }, ordered);
      ring.copy(ordered, part.buffer, place(part, slab));
      return ordered.length;
    },
  };
}

/** The part of a matrix that quantised rows go to. */
export interface QuantTarget {
  readonly ring: UploadRing;
  readonly matrix: WeightMatrix;
  readonly format: QuantFormat;
  readonly part: WeightPart;
}

/** Consecutive rows of a matrix, quantised. */
export interface QuantSlab extends QuantizedRows {
  readonly rowsBegin: number;
  readonly rows: number;
}

/** Room for rows as they go to the GPU: what of a part their quants and their scales are. */
async function quantizedRoom(
  { ring, matrix, format }: Pick<QuantTarget, 'ring' | 'matrix' | 'format'>,
  rows: number,
): Promise<QuantizedRows> {
  const { stride, lanes } = matrix;
  const padded = paddedRows(rows, lanes);
  const quantBytes = (padded * stride * format.bits) / 8;
  const words = padded * scaleWords(stride, format);
  const { buffer, byteOffset } = await ring.room(quantBytes + 4 * words);
  return {
    quants: new Uint8Array(buffer, byteOffset, quantBytes),
    scales: new Uint32Array(buffer, byteOffset + quantBytes, words),
  };
}

/** Sends rows that are in the order of a matrix; their scales go behind all quants of the part. */
function sendQuantized(
  { ring, matrix, format, part }: QuantTarget,
  { rowsBegin, quants, scales }: Omit<QuantSlab, 'rows'>,
): number {
  const { lanes, stride, dtype } = matrix;
  const row = rowsBegin - part.rowBegin;
  ring.copy(quants, part.buffer, (row * stride * format.bits) / 8);
  const behind = scalesBegin(part.rows, stride, { dtype, lanes });
  ring.copy(scales, part.buffer, behind + row * 4 * scaleWords(stride, format));
  return quants.length + scales.byteLength;
}

/** Writes quantised rows in the order of a matrix. @returns bytes written */
export async function writeQuantized(
  target: QuantTarget,
  { rowsBegin, rows, quants, scales }: QuantSlab,
): Promise<number> {
  const { lanes, dtype } = target.matrix;
  const room = await quantizedRoom(target, rows);
  layOut(quants, rows, { unitBytes: unitBytes(dtype), lanes }, room.quants);
  layOut(bytesOf(scales), rows, { unitBytes: 4, lanes }, bytesOf(room.scales));
  return sendQuantized(target, { rowsBegin, ...room });
}

/** The scales that the rows of a matrix have in its checkpoint, where a format can hold them. */
async function storedScales({
  source,
  format: { bits, group, symmetric },
  quants,
}: LoadWay<'quantize'>): Promise<GivenScales | undefined> {
  if (symmetric || quants.every((each) => each === undefined)) return undefined;
  const parts = await Promise.all(quants.map(async (each) => (each && each.bits <= bits ? each.scales() : undefined)));
  const begins = Array.from({ length: Math.ceil(source.cols / group) }, (_, i) => i * group);
  const held = parts.map((part) => begins.every((from) => part?.uniform(from, Math.min(from + group, source.cols))));
  const places = new Uint32Array(2 * source.rows);
  source.parts.forEach(({ rows, map }, part) => {
    for (let r = 0; r < rows; r++) places.set([part, r], 2 * mapRow(map, r));
  });
  return (row, g) => {
    const part = places[2 * row];
    // What pads a row lies behind its last group, or is a part of it.
    return held[part] ? parts[part]?.at(places[2 * row + 1], Math.min(g * group, source.cols - 1)) : undefined;
  };
}

/** What to tell the user about a weight that no scale in f16 reaches. */
export function tooLarge(tensor: string, value: number): RidgepointError {
  const advice = words`load with ${option('dtype', 'bf16')} or ${option('dtype', 'f32')}`;
  return new RidgepointError('checkpoint', words`${tensor}: holds ${value}, too large to be quantised; ${advice}`);
}

/**
 * Quantises rows of f32 as they come, in the memory that goes to the GPU where rows lie one after another there.
 *
 * @returns a writer that throws RidgepointError naming the tensor whose weights no scale in f16 reaches
 */
export async function quantizedWriter(ring: UploadRing, step: LoadWay<'quantize'>): Promise<RowWriter> {
  const { source, matrix, format } = step;
  const { stride, lanes } = matrix;
  const known = await storedScales(step);
  let scratch: QuantizedRows | undefined;
  let most = 0;
  const staged = (rows: number): QuantizedRows => {
    if (scratch === undefined || rows > most) scratch = quantizedRows((most = rows), stride, format);
    return {
      quants: scratch.quants.subarray(0, (rows * stride * format.bits) / 8),
      scales: scratch.scales.subarray(0, rows * scaleWords(stride, format)),
    };
  };
  const write = async (part: WeightPart, { rowsBegin, rows, bytes }: Slab): Promise<number> => {
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, rows * stride);
    const target = { ring, matrix, format, part };
    const made = lanes === 1 ? await quantizedRoom(target, rows) : staged(rows);
    const given: GivenScales | undefined = known && ((row, group) => known(rowsBegin + row, group));
    const bad = quantizeRows(values, { rows, columns: stride, format }, made, given);
    if (bad >= 0) {
      const tensor = tensorOfRow(source, rowsBegin + Math.floor(bad / stride));
      throw tooLarge(tensor, values[bad]);
    }
    return lanes === 1
      ? sendQuantized(target, { rowsBegin, ...made })
      : writeQuantized(target, { rowsBegin, rows, ...made });
  };
  return { write };
}
