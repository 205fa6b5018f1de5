import type { Precision } from '../model/operations.js';
import type { ComputeDtype, KernelSet } from './roof.js';

export const WEIGHT_DTYPES = ['f32', 'f16', 'bf16', 'fp8', 'int8', 'int4'] as const;
export type WeightDtype = (typeof WEIGHT_DTYPES)[number];

/**
 * Bytes of a stored weight. Scales are left out: one in f16 for a group of 128 adds 1.6 % to int8 and 3.1 % to int4.
 */
export const WEIGHT_BYTES: Readonly<Record<WeightDtype, number>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  fp8: 1,
  int8: 1,
  int4: 0.5,
};

export const KV_DTYPES = ['f32', 'f16', 'fp8', 'int8'] as const;
export type KvDtype = (typeof KV_DTYPES)[number];

export interface Dtypes {
  readonly weights: WeightDtype;
  readonly kv: KvDtype;
  /** Products of matmuls; weights in a narrower format are widened to it on the way in. */
  readonly compute: ComputeDtype;
}

/** Bytes per number. Activations are f32 between the engine's kernels and f16 between those of CUDA libraries. */
export function precisionOf({ weights, kv, compute }: Dtypes, kernels: KernelSet): Precision {
  const activationBytes = kernels === 'shader' || compute === 'f32' ? 4 : 2;
  return { weightBytes: WEIGHT_BYTES[weights], kvBytes: WEIGHT_BYTES[kv], activationBytes };
}
