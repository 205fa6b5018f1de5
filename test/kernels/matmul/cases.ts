import type { Epilogue } from '../../../src/kernels/matmul/kernel.js';
import type { FloatDtype, StoredDtype } from '../../../src/kernels/weights.js';
import type { QuantizedDtype } from '../../../src/quantization/formats.js';

export const DTYPES: readonly FloatDtype[] = ['f16', 'bf16', 'f32'];
/** Both widths, with and without zero points, every group size; the cases end in parts of a group. */
export const QUANTIZED: readonly QuantizedDtype[] = ['int8-g32', 'int8-g64-zp', 'int4-g128', 'int4-g32-zp'];
export const EPILOGUES: readonly Epilogue[] = ['store', 'residual', 'silu'];

/** Rows of x: one, tails of every row tile, one past a tile of 64. */
export const ROWS: readonly number[] = [1, 2, 3, 5, 8, 9, 17, 33, 65];

/** Those that a kernel of so many rows a workgroup could get wrong: one, around one workgroup, in several. */
export function rowsFor(rowsPerGroup: number): number[] {
  return ROWS.filter((rows) => rows === 1 || (rows > rowsPerGroup / 4 && rows <= 2 * rowsPerGroup + 1));
}

export interface MatmulCase {
  /** Rows of the weight matrix; gate and up rows together under `silu`, which takes even ones only. */
  readonly n: number;
  readonly k: number;
  /** Most rows of a part of the matrix. */
  readonly partRows?: number;
  /** Most workgroups along the outputs, so that a kernel that loops over them takes several turns. */
  readonly mostGroups?: number;
}

export const MATMUL_CASES: readonly MatmulCase[] = [
  { n: 6, k: 8 },
  { n: 105, k: 64 },
  { n: 64, k: 105 },
  { n: 172, k: 172, partRows: 62 },
  { n: 130, k: 704 },
  { n: 130, k: 105, mostGroups: 2 },
];

export function runsUnder(epilogue: Epilogue, { n }: MatmulCase): boolean {
  return epilogue !== 'silu' || n % 2 === 0;
}

/** What is done with a sum does not depend on how weights are stored, so one epilogue serves for quantised ones. */
export function epiloguesOf(dtype: StoredDtype): readonly Epilogue[] {
  return DTYPES.some((float) => float === dtype) ? EPILOGUES : ['store'];
}

/** A few of the cases, for a combination of dtype and epilogue whose parts other combinations try in full. */
export const FEW_MATMUL_CASES: readonly MatmulCase[] = MATMUL_CASES.filter(({ n }) => n === 6 || n === 64);
