/** Scale and zero of an output's columns. */
export interface RowScales {
  /** f16 bits of the scale, and the zero, of a column of an output. */
  at(row: number, column: number): { readonly scale: number; readonly zero: number };
  /** Whether columns from `begin` to `end` share a scale in every row. */
  uniform(begin: number, end: number): boolean;
}

/** Consecutive outputs of a matrix as GPTQ stores them, transposed. */
export interface QuantWindow {
  /** The first output; at most the one asked for. */
  readonly begin: number;
  /** Outputs. */
  readonly rows: number;
  /** [words of a row][rows]: 4 or 8 inputs to a word, the first in the lowest bits. */
  readonly words: Uint32Array<ArrayBuffer>;
  /** [groups][rows], f16 bits. */
  readonly scales: Uint16Array<ArrayBuffer>;
  /** [groups][rows] */
  readonly zeros: Uint8Array<ArrayBuffer>;
}

/** The quants of a matrix [outputs, inputs] of a checkpoint. */
export interface StoredQuants {
  readonly inputs: number;
  readonly outputs: number;
  readonly bits: 4 | 8;
  /** Inputs that share a scale: `inputs` where all of an output do. */
  readonly groupSize: number;
  /** Every zero is the middle of the quants; reading refuses another. */
  readonly symmetric: boolean;
  /** Whether groups are runs of inputs, which act-order mixes. */
  readonly groupsAreRuns: boolean;
  /** What the quants are scaled by. @throws RidgepointError naming the tensor whose numbers cannot be true */
  readonly scales: () => Promise<RowScales>;
  /**
   * Reads the outputs from `begin` to `end` and few beside them as they lie. Absent where they do not lie so that a
   * format of the engine takes them: AWQ's order, or groups that are no runs.
   *
   * @throws RidgepointError naming the tensor whose numbers cannot be true
   */
  readonly window?: (begin: number, end: number) => Promise<QuantWindow>;
}
