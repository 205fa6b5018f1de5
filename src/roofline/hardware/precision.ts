import type { Precision } from '../../model/operations.js';
import type { ActivationDtype } from '../../quantization/activations.js';
import { quantFormat, QUANTIZED_DTYPES, type QuantizedDtype } from '../../quantization/formats.js';
import type { ComputeDtype, KernelSet } from './roof.js';

export const PRICED_WEIGHT_DTYPES = ['f32', 'f16', 'bf16', 'fp8', 'int8', 'int4', 'fp4'] as const;
/** Formats that say nothing of scales, as data sheets and articles name them, and the engine's own that do. */
export type PricedWeightDtype = (typeof PRICED_WEIGHT_DTYPES)[number] | QuantizedDtype;

/** The format of that name. */
export function weightDtype(name: string): PricedWeightDtype | undefined {
  return [...PRICED_WEIGHT_DTYPES, ...QUANTIZED_DTYPES].find((known) => known === name);
}

/** Bytes of a stored weight, scales left out. */
const PLAIN_BYTES: Readonly<Record<(typeof PRICED_WEIGHT_DTYPES)[number], number>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  fp8: 1,
  int8: 1,
  int4: 0.5,
  fp4: 0.5,
};

/**
 * Bytes of a stored weight. The scales of the engine's formats are counted: two bytes a group, four with zero points,
 * which for groups of 32 is 6 % of int8 and 12.5 % of int4.
 */
export function bytesOfWeight(dtype: PricedWeightDtype): number {
  const format = quantFormat(dtype);
  if (format === undefined) return PLAIN_BYTES[dtype as keyof typeof PLAIN_BYTES];
  return format.bits / 8 + (format.symmetric ? 2 : 4) / format.group;
}

export const KV_DTYPES = ['f32', 'f16', 'fp8', 'int8'] as const;
export type PricedKvDtype = (typeof KV_DTYPES)[number];

export interface Dtypes {
  readonly weights: PricedWeightDtype;
  /** Of embedding and `lm_head`; as `weights` when absent. */
  readonly head?: PricedWeightDtype;
  readonly kv: PricedKvDtype;
  /** Products of matmuls; weights in a narrower format are widened to it on the way in. */
  readonly compute: ComputeDtype;
  /** What the engine's projections of prompts multiply; under int8 activations are quantised for them. */
  readonly activations?: ActivationDtype;
  /** The engine's rows of prompts are f16 on their way into projections, where its weights are not bf16 or f32. */
  readonly halfRows?: boolean;
}

/** f32, one for each head of a token; as `kvBlockBytes` allocates it. */
const KV_SCALE_BYTES: Readonly<Partial<Record<PricedKvDtype, number>>> = { int8: 4 };

/** Bytes of the cache's numbers and scales. */
export function kvPrecision(kv: PricedKvDtype): Pick<Precision, 'kvBytes' | 'kvScaleBytes'> {
  return { kvBytes: bytesOfWeight(kv), kvScaleBytes: KV_SCALE_BYTES[kv] };
}

/** Bytes per number, and of the cache's scales. Activations are f32 between the engine's kernels and f16 between those of CUDA libraries. */
export function precisionOf(
  { weights, head = weights, kv, compute, activations, halfRows = false }: Dtypes,
  kernels: KernelSet,
): Precision {
  const activationBytes = kernels === 'shader' || compute === 'f32' ? 4 : 2;
  const half = halfRows && kernels === 'shader' && weights !== 'bf16' && weights !== 'f32';
  return {
    weightBytes: bytesOfWeight(weights),
    headBytes: bytesOfWeight(head),
    ...kvPrecision(kv),
    activationBytes,
    ...(activations === 'int8' ? { productBytes: 1 } : half ? { productBytes: 2 } : {}),
  };
}
