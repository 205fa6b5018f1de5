import { RidgepointError } from '../errors.js';

/**
 * Where the rows of one tensor go in a fused matrix. Row r of the tensor becomes row
 *
 * - `block`: offset + r
 * - `interleave`: 2 r + phase, so that two tensors share one matrix row by row (gate even, up odd)
 * - `rotary`: offset + r, with the rows of each head of `headDim` rows reordered: the two halves of a rotary pair, rows
 *   i and i + headDim / 2 of the head, become the neighbours 2 i and 2 i + 1
 */
export type RowMap =
  | { readonly kind: 'block'; readonly offset: number }
  | { readonly kind: 'interleave'; readonly phase: 0 | 1 }
  | { readonly kind: 'rotary'; readonly offset: number; readonly headDim: number };

/** A tensor of shape [rows, cols], or a vector where one of them is 1, and where its rows go. */
export interface FusedPart {
  readonly tensor: string;
  readonly rows: number;
  readonly map: RowMap;
}

/** A matrix of the engine, put together from the rows of one or more tensors of a checkpoint. */
export interface FusedMatrix {
  readonly name: string;
  readonly rows: number;
  readonly cols: number;
  /** No row may come from two parts; rows that come from none are zero. */
  readonly parts: readonly FusedPart[];
}

/** The row of the fused matrix that row `r` of the tensor becomes. */
export function mapRow(map: RowMap, r: number): number {
  if (map.kind === 'block') return map.offset + r;
  if (map.kind === 'interleave') return 2 * r + map.phase;
  const half = map.headDim / 2;
  const inHead = r % map.headDim;
  const moved = inHead < half ? 2 * inHead : 2 * (inHead - half) + 1;
  return map.offset + (r - inHead) + moved;
}

/**
 * The smallest run of a part's rows that holds all rows going to [begin, end) of the matrix. Where the cut goes through
 * a rotary head, the run holds the whole head, and rows that go elsewhere with it.
 *
 * @returns the first row and one past the last; equal if there are none
 */
export function sourceRows(part: FusedPart, begin: number, end: number): [number, number] {
  const { map, rows } = part;
  const clamp = (r: number) => Math.min(Math.max(r, 0), rows);
  let first: number;
  let last: number;
  if (map.kind === 'interleave') {
    first = Math.ceil((begin - map.phase) / 2);
    last = Math.ceil((end - map.phase) / 2);
  } else {
    const unit = map.kind === 'rotary' ? map.headDim : 1;
    first = Math.floor((begin - map.offset) / unit) * unit;
    last = Math.ceil((end - map.offset) / unit) * unit;
  }
  return [clamp(first), Math.max(clamp(first), clamp(last))];
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Rows that a matrix is best cut at multiples of: whole rotary heads, whole interleaved pairs. */
export function rowUnit(matrix: FusedMatrix): number {
  let unit = 1;
  for (const { map } of matrix.parts) {
    const rows = map.kind === 'block' ? 1 : map.kind === 'interleave' ? 2 : map.headDim;
    unit = (unit / greatestCommonDivisor(unit, rows)) * rows;
  }
  return unit;
}

/**
 * Checks that the parts fit into the matrix and into each other.
 *
 * @returns whether every row comes from some part
 * @throws RidgepointError('internal') naming the matrix; the model's description is wrong, not the checkpoint
 */
export function checkLayout(matrix: FusedMatrix): boolean {
  const fail = (message: string): never => {
    throw new RidgepointError('internal', `${matrix.name}: ${message}`);
  };
  const taken = new Uint8Array(matrix.rows);
  let covered = 0;
  for (const { tensor, rows, map } of matrix.parts) {
    if (map.kind === 'rotary' && (map.headDim % 2 !== 0 || rows % map.headDim !== 0)) {
      fail(`${tensor} has ${rows} rows, which are not heads of ${map.headDim}`);
    }
    for (let r = 0; r < rows; r++) {
      const row = mapRow(map, r);
      if (!(row >= 0 && row < matrix.rows)) fail(`row ${r} of ${tensor} goes to ${row} of ${matrix.rows} rows`);
      if (taken[row] !== 0) fail(`row ${row} is filled twice, the second time by ${tensor}`);
      taken[row] = 1;
    }
    covered += rows;
  }
  return covered === matrix.rows;
}

/** The tensor that a row of a matrix comes from; the matrix's own name for a row that comes from none. */
export function tensorOfRow(matrix: FusedMatrix, row: number): string {
  const part = matrix.parts.find((each) => {
    const [first, end] = sourceRows(each, row, row + 1);
    return Array.from({ length: end - first }, (_, i) => mapRow(each.map, first + i)).includes(row);
  });
  return part?.tensor ?? matrix.name;
}
