import type { Gpu } from '../gpu/gpu.js';

/** How a weight matrix is stored on the GPU. */
export type StoredDtype = 'f16' | 'bf16' | 'f32';

/** Columns are padded with zeros to a multiple of this, so that every kernel reads whole vectors and tiles. */
export const COLUMN_PADDING = 32;

/** Rows of a matrix that lie together in one buffer. */
export interface WeightPart {
  readonly buffer: GPUBuffer;
  readonly rowBegin: number;
  readonly rows: number;
}

/** A weight matrix [rows][stride], row-major, cut into parts that each fit one binding. */
export interface WeightMatrix {
  readonly name: string;
  readonly rows: number;
  /** True width. */
  readonly cols: number;
  /** Row stride in elements: `cols` padded. */
  readonly stride: number;
  readonly dtype: StoredDtype;
  readonly parts: readonly WeightPart[];
}

export function bytesPerElement(dtype: StoredDtype): number {
  return dtype === 'f32' ? 4 : 2;
}

export function paddedColumns(cols: number): number {
  return Math.ceil(cols / COLUMN_PADDING) * COLUMN_PADDING;
}

/** Bytes a matrix takes on the GPU, padding included. */
export function storedBytes(rows: number, cols: number, dtype: StoredDtype): number {
  return rows * paddedColumns(cols) * bytesPerElement(dtype);
}

/**
 * Makes room for a matrix. A part ends before the adapter's binding limit and on a multiple of `rowQuantum` rows, so
 * that rows which belong together (a gate and its up row, the rows of a head) stay in one part.
 */
export function allocateMatrix(
  gpu: Gpu,
  name: string,
  rows: number,
  cols: number,
  dtype: StoredDtype,
  rowQuantum = 2,
): WeightMatrix {
  const stride = paddedColumns(cols);
  const rowBytes = stride * bytesPerElement(dtype);
  const limit = Math.min(gpu.capabilities.maxBindingBytes, gpu.capabilities.maxBufferBytes);
  const most = Math.max(rowQuantum, Math.floor(limit / rowBytes / rowQuantum) * rowQuantum);
  const count = Math.ceil(rows / most);
  // Even parts rather than full ones and a rest: a small rest would leave the device idle in its own launch.
  const even = Math.ceil(rows / count / rowQuantum) * rowQuantum;
  const parts: WeightPart[] = [];
  for (let rowBegin = 0; rowBegin < rows; rowBegin += even) {
    const partRows = Math.min(even, rows - rowBegin);
    const label = `${name} ${dtype} [${partRows}, ${stride}]${count > 1 ? ` from row ${rowBegin}` : ''}`;
    parts.push({ buffer: gpu.storage(label, partRows * rowBytes), rowBegin, rows: partRows });
  }
  return { name, rows, cols, stride, dtype, parts };
}

/** The conditions by which a shader unpacks a stored type. */
export function dtypeDefines(dtype: StoredDtype): Record<string, boolean> {
  return { weights_f32: dtype === 'f32', weights_bf16: dtype === 'bf16' };
}
