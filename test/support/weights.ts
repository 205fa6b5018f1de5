import { f16ToF32, f32ToBf16, f32ToF16, f32Value } from '../../src/checkpoint/float.js';
import type { Gpu } from '../../src/gpu/gpu.js';
import {
  interleaveRows,
  laneRows,
  paddedColumns,
  paddedRows,
  rowBytes,
  unitBytes,
  type FloatDtype,
  type StoredDtype,
  type WeightMatrix,
} from '../../src/kernels/weights.js';
import { quantFormat, scaleWords } from '../../src/quantization/formats.js';
import { dequantizeRows, quantizedRows, quantizeRows } from '../../src/quantization/quantize.js';
import { storageOf } from './buffers.js';

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

function bits(value: number): number {
  scratch[0] = value;
  return scratchBits[0];
}

/** The stored bits of a number. */
export function encode(value: number, dtype: FloatDtype): number {
  return dtype === 'f32' ? bits(value) : dtype === 'f16' ? f32ToF16(bits(value)) : f32ToBf16(bits(value));
}

/** The number that stored bits stand for. */
export function decode(stored: number, dtype: FloatDtype): number {
  return f32Value(dtype === 'f32' ? stored : dtype === 'f16' ? f16ToF32(stored) : (stored << 16) >>> 0);
}

/** Each number as it is after being stored, so that a comparison sees arithmetic error only. */
export function rounded(values: Float64Array, dtype: FloatDtype): Float64Array {
  return values.map((value) => decode(encode(value, dtype), dtype));
}

/** An empty array of stored numbers. */
export function storedArray(dtype: FloatDtype, length: number): Uint32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> {
  return dtype === 'f32' ? new Uint32Array(length) : new Uint16Array(length);
}

/** Rows as they are stored, one after another: numbers, or quants and behind all of them scales. */
function storedRows(values: Float64Array, cols: number, dtype: StoredDtype): { units: Uint8Array; scales: Uint8Array } {
  const rows = values.length / cols;
  const stride = paddedColumns(cols);
  const format = quantFormat(dtype);
  if (format === undefined) {
    const float = dtype as FloatDtype;
    const stored = storedArray(float, rows * stride);
    values.forEach((value, i) => (stored[Math.floor(i / cols) * stride + (i % cols)] = encode(value, float)));
    return { units: new Uint8Array(stored.buffer), scales: new Uint8Array(0) };
  }
  const padded = new Float32Array(rows * stride);
  values.forEach((value, i) => (padded[Math.floor(i / cols) * stride + (i % cols)] = value));
  const made = quantizedRows(rows, stride, format);
  quantizeRows(padded, { rows, columns: stride, format }, made);
  return { units: made.quants, scales: new Uint8Array(made.scales.buffer) };
}

/** Each weight of a matrix as it is after being stored: a quantised one is rounded to its group's scale. */
export function storedWeights(values: Float64Array, cols: number, dtype: StoredDtype): Float64Array {
  const format = quantFormat(dtype);
  if (format === undefined) return rounded(values, dtype as FloatDtype);
  const rows = values.length / cols;
  const stride = paddedColumns(cols);
  const { units, scales } = storedRows(values, cols, dtype);
  const made = { quants: new Uint8Array(units), scales: new Uint32Array(new Uint8Array(scales).buffer) };
  const all = dequantizeRows(made, rows, stride, format);
  return values.map((_, i) => all[Math.floor(i / cols) * stride + (i % cols)]);
}

/**
 * A matrix on the GPU as the loader would lay it out, in parts of about `partRows` rows, as an adapter with a small
 * binding limit would have it. A row of NaN follows each part, and NaN fills up its last block.
 */
export function weightMatrix(
  gpu: Gpu,
  values: Float64Array,
  cols: number,
  dtype: StoredDtype,
  partRows = Infinity,
  lanes = laneRows(gpu.capabilities),
): WeightMatrix {
  const rows = values.length / cols;
  const stride = paddedColumns(cols);
  const format = quantFormat(dtype);
  const parts = [];
  const most = paddedRows(partRows, lanes);
  for (let rowBegin = 0; rowBegin < rows; rowBegin += most) {
    const count = Math.min(most, rows - rowBegin);
    const { units, scales } = storedRows(values.subarray(rowBegin * cols, (rowBegin + count) * cols), cols, dtype);
    const bytes = rowBytes(stride, dtype);
    const laidOut = new Uint8Array(paddedRows(count, lanes) * bytes).fill(0xff);
    const behind = 4 * (format === undefined ? 0 : scaleWords(stride, format));
    const split = paddedRows(count, lanes) * (bytes - behind);
    const order = { rows: count, rowBytes: bytes - behind, unitBytes: unitBytes(dtype), lanes };
    interleaveRows(units, order, laidOut.subarray(0, split));
    const scaleOrder = { rows: count, rowBytes: behind, unitBytes: 4, lanes };
    if (behind > 0) interleaveRows(scales, scaleOrder, laidOut.subarray(split));
    const buffer = storageOf(gpu, `weights from ${rowBegin}`, new Uint32Array(laidOut.buffer), bytes);
    parts.push({ buffer, rowBegin, rows: count });
  }
  return { name: 'weights', rows, cols, stride, dtype, lanes, parts };
}

/** Where a number lies in a part, in elements: blocks of `lanes` rows, eight columns of each row in turn. */
export function storedIndex({ lanes, stride }: WeightMatrix, row: number, col: number): number {
  const block = Math.floor(row / lanes) * lanes * stride;
  return block + Math.floor(col / 8) * lanes * 8 + (row % lanes) * 8 + (col % 8);
}
