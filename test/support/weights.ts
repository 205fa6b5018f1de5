import { f16ToF32, f32ToBf16, f32ToF16, f32Value } from '../../src/checkpoint/float.js';
import type { Gpu } from '../../src/gpu/gpu.js';
import {
  bytesPerElement,
  interleaveRows,
  laneRows,
  paddedColumns,
  paddedRows,
  type StoredDtype,
  type WeightMatrix,
} from '../../src/kernels/weights.js';
import { storageOf } from './buffers.js';

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

function bits(value: number): number {
  scratch[0] = value;
  return scratchBits[0];
}

/** The stored bits of a number. */
export function encode(value: number, dtype: StoredDtype): number {
  return dtype === 'f32' ? bits(value) : dtype === 'f16' ? f32ToF16(bits(value)) : f32ToBf16(bits(value));
}

/** The number that stored bits stand for. */
export function decode(stored: number, dtype: StoredDtype): number {
  return f32Value(dtype === 'f32' ? stored : dtype === 'f16' ? f16ToF32(stored) : (stored << 16) >>> 0);
}

/** Each number as it is after being stored, so that a comparison sees arithmetic error only. */
export function rounded(values: Float64Array, dtype: StoredDtype): Float64Array {
  return values.map((value) => decode(encode(value, dtype), dtype));
}

/** An empty array of stored numbers. */
export function storedArray(dtype: StoredDtype, length: number): Uint32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> {
  return dtype === 'f32' ? new Uint32Array(length) : new Uint16Array(length);
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
  const parts = [];
  const most = paddedRows(partRows, lanes);
  for (let rowBegin = 0; rowBegin < rows; rowBegin += most) {
    const count = Math.min(most, rows - rowBegin);
    const stored = storedArray(dtype, count * stride);
    for (let i = 0; i < count * cols; i++) {
      stored[Math.floor(i / cols) * stride + (i % cols)] = encode(values[rowBegin * cols + i], dtype);
    }
    const rowBytes = stride * bytesPerElement(dtype);
    const laidOut = storedArray(dtype, paddedRows(count, lanes) * stride);
    new Uint8Array(laidOut.buffer).fill(0xff);
    const bytes = new Uint8Array(stored.buffer);
    interleaveRows(bytes, count, rowBytes, 8 * bytesPerElement(dtype), lanes, new Uint8Array(laidOut.buffer));
    const buffer = storageOf(gpu, `weights from ${rowBegin}`, laidOut, rowBytes);
    parts.push({ buffer, rowBegin, rows: count });
  }
  return { name: 'weights', rows, cols, stride, dtype, lanes, parts };
}

/** Where a number lies in a part, in elements: blocks of `lanes` rows, eight columns of each row in turn. */
export function storedIndex({ lanes, stride }: WeightMatrix, row: number, col: number): number {
  const block = Math.floor(row / lanes) * lanes * stride;
  return block + Math.floor(col / 8) * lanes * 8 + (row % lanes) * 8 + (col % 8);
}
