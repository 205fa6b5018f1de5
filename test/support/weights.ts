import { f16ToF32, f32ToBf16, f32ToF16, f32Value } from '../../src/checkpoint/float.js';
import type { Gpu } from '../../src/gpu/gpu.js';
import { bytesPerElement, paddedColumns, type StoredDtype, type WeightMatrix } from '../../src/kernels/weights.js';
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
 * A matrix on the GPU as the loader would lay it out, in parts of at most `partRows` rows, as an adapter with a small
 * binding limit would have it. A row of NaN follows each part.
 */
export function weightMatrix(
  gpu: Gpu,
  values: Float64Array,
  cols: number,
  dtype: StoredDtype,
  partRows = Infinity,
): WeightMatrix {
  const rows = values.length / cols;
  const stride = paddedColumns(cols);
  const parts = [];
  for (let rowBegin = 0; rowBegin < rows; rowBegin += partRows) {
    const count = Math.min(partRows, rows - rowBegin);
    const stored = storedArray(dtype, count * stride);
    for (let i = 0; i < count * cols; i++) {
      stored[Math.floor(i / cols) * stride + (i % cols)] = encode(values[rowBegin * cols + i], dtype);
    }
    const buffer = storageOf(gpu, `weights from ${rowBegin}`, stored, stride * bytesPerElement(dtype));
    parts.push({ buffer, rowBegin, rows: count });
  }
  return { name: 'weights', rows, cols, stride, dtype, parts };
}
