import type { OperationKind } from '../../model/operations.js';
import type { Hardware } from './hardware.js';

/**
 * Whose kernels run: `tensor` those that use matrix units wherever there are any, as CUDA libraries do; `shader` those
 * in plain shader code.
 */
export const KERNEL_SETS = ['tensor', 'shader'] as const;
export type KernelSet = (typeof KERNEL_SETS)[number];

/** What products are computed in. Sums are f32 (i32 for integers), but for `f16-acc16`. */
export const COMPUTE_DTYPES = ['f32', 'f16', 'f16-acc16', 'fp8', 'int8', 'int4', 'fp4'] as const;
export type ComputeDtype = (typeof COMPUTE_DTYPES)[number];

/** A ceiling of compute, and what it is the rate of. */
export interface Roof {
  readonly name: string;
  /** FLOP/s, or integer operations a second. */
  readonly rate: number;
  /** The device has no such rate of its own, and this is that of a wider format. */
  readonly fallback: boolean;
}

type Candidate = readonly [name: string, rate: number | undefined];

function first(candidates: readonly Candidate[]): Roof {
  const index = candidates.findIndex(([, rate]) => rate !== undefined);
  const [name, rate] = candidates[index];
  return { name, rate: rate!, fallback: index > 0 };
}

/** The ceiling of a matmul. A format without a rate is computed in the next wider one that has a rate. */
export function matmulRoof({ dense, shader }: Hardware, kernels: KernelSet, dtype: ComputeDtype): Roof {
  const f32: Candidate[] = [['shader f32', shader.f32]];
  const f16: Candidate[] = [['shader f16', shader.f16]];
  if (kernels === 'shader') {
    if (dtype === 'f32') return first(f32);
    if (dtype === 'int8' || dtype === 'int4') return first([['shader int8', shader.int8], ...f16]);
    return first(f16);
  }
  if (dtype === 'f32') return first([['tensor f32', dense.f32], ...f32]);
  const tensor16: Candidate[] = [['tensor f16', dense.f16], ['tensor f16, f16 sums', dense.f16Accumulate16], ...f16];
  if (dtype === 'f16') return first(tensor16);
  if (dtype === 'f16-acc16') return first([['tensor f16, f16 sums', dense.f16Accumulate16], ...tensor16]);
  const fp8: Candidate[] = [['tensor fp8', dense.fp8], ...tensor16];
  if (dtype === 'fp4') return first([['tensor fp4', dense.fp4], ...fp8]);
  if (dtype === 'fp8') return first(fp8);
  const int8: Candidate[] = [['tensor int8', dense.int8], ['shader int8', shader.int8], ...tensor16];
  return first(dtype === 'int8' ? int8 : [['tensor int4', dense.int4], ...int8]);
}

/** The ceiling of an operation: attention stays in f16 under quantised matmuls, the rest is f32 shader code. */
export function roofOf(hardware: Hardware, kind: OperationKind, kernels: KernelSet, dtype: ComputeDtype): Roof {
  if (kind === 'matmul') return matmulRoof(hardware, kernels, dtype);
  if (kind === 'attention') return matmulRoof(hardware, kernels, dtype === 'f32' ? 'f32' : 'f16');
  return { name: 'shader f32', rate: hardware.shader.f32, fallback: false };
}
