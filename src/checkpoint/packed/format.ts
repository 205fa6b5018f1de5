/**
 * How the linear layers of a checkpoint of the Hub are packed, both as int32 words and transposed, [inputs, outputs]:
 *
 * - `gptq` (AutoGPTQ, GPTQModel): `qweight` [inputs / n, outputs], n consecutive inputs to a word; `qzeros`
 *   [groups, outputs / n], each one less than the zero it stands for, unless the format is v2; `g_idx` [inputs] names
 *   the group of each input, in any order where the inputs were sorted by activation ("act-order")
 * - `awq` (AutoAWQ, version "gemm"): `qweight` [inputs, outputs / 8] and `qzeros` [groups, outputs / 8], eight outputs
 *   to a word in the order 0, 2, 4, 6, 1, 3, 5, 7
 *
 * `scales` is [groups, outputs] in f16, bf16 or f32, and weight = scale * (quant - zero).
 *
 * Where sizes are no multiples of n, which the packers of the Hub refuse, the last words of `qweight` and `qzeros` are
 * filled up; `g_idx` and `scales` tell the true sizes.
 */
export interface PackedFormat {
  readonly method: 'gptq' | 'awq';
  readonly bits: 4 | 8;
  /** Inputs that share a scale; undefined: all of an output. */
  readonly groupSize: number | undefined;
  /** Added to a stored zero. */
  readonly zeroOffset: 0 | 1;
  /** Whether inputs were sorted before they were grouped, so that groups are no runs of columns. */
  readonly actOrder: boolean;
  /** What `dynamic` of GPTQModel says of single matrices, in the order in which it is to be tried. */
  readonly dynamic?: readonly DynamicRule[];
  /** Settings that nothing is known of. */
  readonly unknown?: readonly string[];
}

/** A rule for the modules whose names begin with a match. */
export interface DynamicRule {
  /** Whether it is of a module of this name. */
  readonly fits: (name: string) => boolean;
  readonly bits?: 4 | 8;
  /** -1: all of an output. */
  readonly groupSize?: number;
}

/** How a matrix is packed that is packed otherwise than the rest, or of which more is known. */
export interface PackedException {
  readonly bits: 4 | 8;
  /** Undefined: all of an output. */
  readonly groupSize: number | undefined;
  /** Every zero is the middle of the quants, as far as it is known. */
  readonly symmetric?: boolean;
}

/** A packed matrix, by the tensors it is stored in and by what the format says of it. */
export interface PackedMatrix {
  /** Of its tensors, without `.qweight`. */
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly groups: number;
  readonly bits: 4 | 8;
  /** Inputs that share a scale. */
  readonly groupSize: number;
  readonly symmetric: boolean | undefined;
  /** Added to a stored zero. */
  readonly zeroOffset: 0 | 1;
  readonly scaleDtype: ScaleDtype;
}

/** What scales are stored in. */
export type ScaleDtype = 'F16' | 'BF16' | 'F32';
