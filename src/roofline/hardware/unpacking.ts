import type { ComputeDtype } from './roof.js';
import { bytesOfWeight, type PricedWeightDtype } from './precision.js';
import type { HardwareClass } from './hardware.js';

/** What is left of the shares of a matmul's ceilings when its weights are unpacked on the way in. */
export interface Unpacking {
  readonly compute: number;
  readonly bandwidth: number;
}

const NONE: Unpacking = { compute: 1, bandwidth: 1 };

interface ByWidth {
  readonly int4: Unpacking;
  readonly int8: Unpacking;
}

/**
 * int4: llama.cpp's Q4_K_M against its F16, Llama-3 of two sizes on eight devices, where few rows lose nothing of the
 * bandwidth: what seemed a share of it is time between kernels, the same for any format. Prompts lose a share of the
 * compute, and int8 is assumed to lose half of that. Of classes without a measurement the time between kernels is not
 * known either, so tokens are assumed to lose what it looked like: the middle of 0.83 (RTX 4090) and 0.66 (M1 Max and M2
 * Ultra), and half of that with int8.
 */
const MEASURED: Readonly<Partial<Record<HardwareClass, ByWidth>>> = {
  nvidia: { int4: { compute: 0.78, bandwidth: 1 }, int8: { compute: 0.89, bandwidth: 1 } },
  apple: { int4: { compute: 0.84, bandwidth: 1 }, int8: { compute: 0.92, bandwidth: 1 } },
};
const ASSUMED: ByWidth = { int4: { compute: 0.8, bandwidth: 0.74 }, int8: { compute: 0.9, bandwidth: 0.87 } };

const BYTES: Readonly<Record<ComputeDtype, number>> = {
  ...{ f32: 4, f16: 2, 'f16-acc16': 2, fp8: 1, int8: 1, int4: 0.5, fp4: 0.5 },
};

/** The loss of a class of devices that multiplies in `compute` and stores in `weights`; none where it need not widen. */
export function unpackingOf(
  family: HardwareClass | undefined,
  weights: PricedWeightDtype,
  compute: ComputeDtype,
): Unpacking {
  const stored = bytesOfWeight(weights);
  if (stored > 1.5 || stored >= BYTES[compute]) return NONE;
  const found = (family && MEASURED[family]) ?? ASSUMED;
  return stored < 0.8 ? found.int4 : found.int8;
}
