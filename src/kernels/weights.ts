import type { Capabilities } from '../gpu/capabilities.js';
import type { Gpu } from '../gpu/gpu.js';
import { quantFormat, quantizedRowBytes, type QuantizedDtype } from '../quantization/formats.js';

/** Floating-point formats of stored numbers. */
export type FloatDtype = 'f16' | 'bf16' | 'f32';

/** How a weight matrix is stored on the GPU. */
export type StoredDtype = FloatDtype | QuantizedDtype;

/** Columns are padded with zeros to a multiple of this, so that every kernel reads whole vectors and tiles. */
export const COLUMN_PADDING = 32;

/** Rows of a matrix that lie together in one buffer. */
export interface WeightPart {
  readonly buffer: GPUBuffer;
  readonly rowBegin: number;
  readonly rows: number;
}

/** How the numbers of a matrix lie in memory; the same for both phases. */
export interface WeightLayout {
  readonly dtype: StoredDtype;
  /**
   * Rows that lie side by side. 1 is row-major. Above, a matrix is a sequence of blocks of so many rows, and a block
   * [stride / 8][lanes][8]: eight columns of each of its rows in turn, 32 of int4 and 16 of int8. The last block is
   * filled up.
   *
   * Scales of quantised weights follow behind the last block in the same buffer, in blocks [words][lanes] of the words
   * that `scaleWords` describes, so that a lane finds its row's scales as it finds its weights.
   */
  readonly lanes: number;
}

/** A weight matrix of `rows` rows of `stride` numbers, cut into parts that each fit one binding. */
export interface WeightMatrix extends WeightLayout {
  readonly name: string;
  readonly rows: number;
  /** True width. */
  readonly cols: number;
  /** Row width in elements: `cols` padded. */
  readonly stride: number;
  readonly parts: readonly WeightPart[];
}

/**
 * Rows that lie side by side in the layout that suits an adapter. A GPU's lanes read along a row together and leave it
 * row-major. A driver that runs shaders on the CPU gives each lane a row of its own (`matmul_lanes.wgsl`).
 */
export function laneRows({ isCpu, subgroups, subgroupMinSize, subgroupMaxSize }: Capabilities): number {
  const fixed = subgroups && subgroupMinSize === subgroupMaxSize;
  return isCpu && fixed && (subgroupMaxSize === 4 || subgroupMaxSize === 8) ? subgroupMaxSize : 1;
}

export function bytesPerElement(dtype: FloatDtype): number {
  return dtype === 'f32' ? 4 : 2;
}

const bitsOf = (dtype: StoredDtype): number => quantFormat(dtype)?.bits ?? 8 * bytesPerElement(dtype as FloatDtype);

/** Bytes of a row that stay together where rows lie side by side: eight numbers, or as many quants as fill 16 bytes. */
export function unitBytes(dtype: StoredDtype): number {
  return quantFormat(dtype) === undefined ? bitsOf(dtype) : 16;
}

/** 32-bit words of eight numbers of a row. */
export const unitWords = (dtype: StoredDtype): number => bitsOf(dtype) / 4;

/** Bytes of a row, its scales included. @param stride its columns, padded */
export function rowBytes(stride: number, dtype: StoredDtype): number {
  const format = quantFormat(dtype);
  return format === undefined ? (stride * bitsOf(dtype)) / 8 : quantizedRowBytes(stride, format);
}

/** Bytes in front of a part's scales, if it has any. */
export function scalesBegin(rows: number, stride: number, { dtype, lanes }: WeightLayout): number {
  return (paddedRows(rows, lanes) * stride * bitsOf(dtype)) / 8;
}

export function paddedColumns(cols: number): number {
  return Math.ceil(cols / COLUMN_PADDING) * COLUMN_PADDING;
}

/** Bytes a matrix in one part takes on the GPU, padding included. */
export function storedBytes(rows: number, cols: number, { dtype, lanes }: WeightLayout): number {
  return paddedRows(rows, lanes) * rowBytes(paddedColumns(cols), dtype);
}

/** Rows of a part, its last block filled up. */
export function paddedRows(rows: number, lanes: number): number {
  return Math.ceil(rows / lanes) * lanes;
}

export interface RowOrder {
  readonly rows: number;
  readonly rowBytes: number;
  /** Bytes that stay together, a multiple of 4. */
  readonly unitBytes: number;
  /** Rows that lie side by side. */
  readonly lanes: number;
}

/**
 * Brings rows into the order of a layout.
 *
 * @param rowMajor [rows][rowBytes]
 * @param to room for [paddedRows(rows, lanes)][rowBytes]; what fills up the last block is left as it is
 */
export function interleaveRows(
  rowMajor: Uint8Array,
  { rows, rowBytes, unitBytes, lanes }: RowOrder,
  to: Uint8Array,
): void {
  const word = unitBytes % 8 === 0 ? 8 : 4;
  const words = unitBytes / word;
  const array = word === 8 ? Float64Array : Uint32Array;
  const [source, target] = [rowMajor, to].map(
    (bytes) => new array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength / word),
  );
  const units = rowBytes / unitBytes;
  for (let row = 0; row < rows; row++) {
    let from = row * units * words;
    let at = ((row - (row % lanes)) * units + (row % lanes)) * words;
    for (let unit = 0; unit < units; unit++, at += lanes * words) {
      for (let word = 0; word < words; word++) target[at + word] = source[from++];
    }
  }
}

/** The least common multiple. */
function commonMultiple(a: number, b: number): number {
  let multiple = a;
  while (multiple % b !== 0) multiple += a;
  return multiple;
}

/**
 * Makes room for a matrix. A part ends before the adapter's binding limit and on a multiple of `rowQuantum` rows, so
 * that rows which belong together (a gate and its up row, the rows of a head) stay in one part.
 */
export function allocateMatrix(
  gpu: Gpu,
  name: string,
  { rows, cols, rowQuantum = 2 }: { readonly rows: number; readonly cols: number; readonly rowQuantum?: number },
  { dtype, lanes }: WeightLayout,
): WeightMatrix {
  const quantum = commonMultiple(rowQuantum, lanes);
  const stride = paddedColumns(cols);
  const bytes = rowBytes(stride, dtype);
  const limit = Math.min(gpu.capabilities.maxBindingBytes, gpu.capabilities.maxBufferBytes);
  const most = Math.max(quantum, Math.floor(limit / bytes / quantum) * quantum);
  const count = Math.ceil(rows / most);
  // Even parts rather than full ones and a rest: a small rest would leave the device idle in its own launch.
  const even = Math.ceil(rows / count / quantum) * quantum;
  const parts: WeightPart[] = [];
  for (let rowBegin = 0; rowBegin < rows; rowBegin += even) {
    const partRows = Math.min(even, rows - rowBegin);
    const label = `${name} ${dtype} [${partRows}, ${stride}]${count > 1 ? ` from row ${rowBegin}` : ''}`;
    parts.push({ buffer: gpu.storage(label, paddedRows(partRows, lanes) * bytes), rowBegin, rows: partRows });
  }
  return { name, rows, cols, stride, dtype, lanes, parts };
}

/** What `common/weights.wgsl` needs to know to read a layout. */
export function weightDefines({ dtype, lanes }: WeightLayout): Record<string, boolean | number> {
  const format = quantFormat(dtype);
  return {
    // The type of a stored number; f16 where neither is set.
    weights_f32: dtype === 'f32',
    // Of two bytes, but an f32 without its last 16 bits.
    weights_bf16: dtype === 'bf16',
    // Rows lie side by side.
    interleaved: lanes > 1,
    // So many of them.
    SIDE_ROWS: lanes,
    // Numbers are quants with scales behind the matrix.
    quantized: format !== undefined,
    ...(format && {
      // Quants of 4 bits; of 8 where it is not set.
      int4: format.bits === 4,
      // No zero points: a quant of 0 stands for 0.
      symmetric: format.symmetric,
      // Units of eight columns that share a scale.
      GROUP_UNITS: format.group / 8,
      // Units in a load of 16 bytes.
      CHUNK_UNITS: 16 / format.bits,
    }),
  };
}
