export interface NormCase {
  readonly width: number;
  readonly rows: number;
  /** The first rows, which are decoding sequences'; none when absent. */
  readonly decodeRows?: number;
}

export const NORM_CASES: readonly NormCase[] = [
  { width: 8, rows: 1 },
  { width: 36, rows: 3 },
  { width: 64, rows: 17 },
  { width: 172, rows: 5 },
  { width: 1030, rows: 2 },
  { width: 105, rows: 9, decodeRows: 6 },
  { width: 4096, rows: 2, decodeRows: 1 },
];
