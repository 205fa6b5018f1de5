import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { mapRow, tensorOfRow, type FusedMatrix } from '../checkpoint/layout.js';
import { isPacked } from '../checkpoint/packed.js';
import type { Slab } from '../checkpoint/stream.js';
import { RidgepointError } from '../errors.js';
import type { Gpu } from '../gpu/gpu.js';
import { interleaveRows, paddedRows, scalesBegin, unitBytes } from '../kernels/weights.js';
import type { WeightMatrix, WeightPart } from '../kernels/weights.js';
import { scaleWords, type QuantFormat } from '../quantization/formats.js';
import { quantizedRows, quantizeRows, type GivenScales, type QuantizedRows } from '../quantization/quantize.js';

/** Brings the rows of a slab to the GPU as a part of a matrix keeps them. @returns bytes written */
export type RowWriter = (part: WeightPart, slab: Slab) => number;

type Bytes = Uint8Array<ArrayBuffer>;

/** Rows in the order of a layout. @param unit bytes that stay together */
function laidOut(bytes: Bytes, rows: number, unit: number, lanes: number): Bytes {
  if (lanes === 1) return bytes;
  const rowBytes = bytes.length / rows;
  const to = new Uint8Array(paddedRows(rows, lanes) * rowBytes);
  interleaveRows(bytes, rows, rowBytes, unit, lanes, to);
  return to;
}

/** Writes rows as they are, in the order of the matrix. @param matrix undefined for a vector */
export function floatRows(gpu: Gpu, matrix: WeightMatrix | undefined): RowWriter {
  const { lanes, dtype } = matrix ?? { lanes: 1, dtype: 'f32' };
  return (part, { rowsBegin, rows, bytes }) => {
    // `writeBuffer` takes whole words; an odd f16 row cannot occur because strides are padded.
    const at = (rowsBegin - part.rowBegin) * (bytes.length / rows);
    const ordered = laidOut(bytes as Bytes, rows, unitBytes(dtype), lanes);
    gpu.queue.writeBuffer(part.buffer, at, ordered);
    return ordered.length;
  };
}

/** Writes quantised rows in the order of a matrix; their scales go behind all quants of the part. */
export function writeQuantized(
  gpu: Gpu,
  { lanes, stride, dtype }: WeightMatrix,
  format: QuantFormat,
  part: WeightPart,
  rowsBegin: number,
  rows: number,
  { quants, scales }: QuantizedRows,
): number {
  const row = rowsBegin - part.rowBegin;
  const quantBytes = quants.length / rows;
  const scaleBytes = 4 * scaleWords(stride, format);
  const units = laidOut(quants, rows, unitBytes(dtype), lanes);
  const words = laidOut(new Uint8Array(scales.buffer, scales.byteOffset, scales.byteLength), rows, 4, lanes);
  gpu.queue.writeBuffer(part.buffer, row * quantBytes, units);
  const behind = scalesBegin(part.rows, stride, { dtype, lanes });
  gpu.queue.writeBuffer(part.buffer, behind + row * scaleBytes, words);
  return units.length + words.length;
}

/** The scales that the rows of a matrix have in a packed checkpoint, where a format can hold them. */
async function packedScales(
  checkpoint: Checkpoint,
  source: FusedMatrix,
  { bits, group, symmetric }: QuantFormat,
): Promise<GivenScales | undefined> {
  if (!isPacked(checkpoint) || symmetric || checkpoint.format.bits > bits) return undefined;
  const parts = await Promise.all(source.parts.map(({ tensor }) => checkpoint.scalesOf(tensor)));
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
  const advice = 'load with --dtype bf16 or --dtype f32';
  return new RidgepointError('checkpoint', `${tensor}: holds ${value}, too large to be quantised; ${advice}`);
}

/**
 * Quantises rows of f32 as they come.
 *
 * @returns a writer that throws RidgepointError naming the tensor whose weights no scale in f16 reaches
 */
export async function quantizedWriter(
  gpu: Gpu,
  checkpoint: Checkpoint,
  source: FusedMatrix,
  matrix: WeightMatrix,
  format: QuantFormat,
): Promise<RowWriter> {
  const { stride } = matrix;
  const known = await packedScales(checkpoint, source, format);
  return (part, { rowsBegin, rows, bytes }) => {
    const values = new Float32Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, rows * stride);
    const made = quantizedRows(rows, stride, format);
    const given: GivenScales | undefined = known && ((row, group) => known(rowsBegin + row, group));
    const bad = quantizeRows(values, rows, stride, format, made, given);
    if (bad >= 0) {
      const tensor = tensorOfRow(source, rowsBegin + Math.floor(bad / stride));
      throw tooLarge(tensor, values[bad]);
    }
    return writeQuantized(gpu, matrix, format, part, rowsBegin, rows, made);
  };
}
