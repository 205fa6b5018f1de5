import type { Operation, OperationKind, Phase } from '../../model/operations.js';
import { KERNEL_FAMILIES, type Efficiency, type KernelFamily } from './families.js';
import { A100_FIT, H100_FIT } from './catalogue/fitted.js';
import type { Efficiencies, Hardware } from './hardware.js';
import type { KernelSet } from './roof.js';

/** The phase whose kernels of the engine run an operation: logits are a row of each sequence, in prompts as in tokens. */
export const kernelPhaseOf = ({ phase, rows }: Pick<Operation, 'phase' | 'rows'>): Phase =>
  rows === 'logits' ? 'decode' : phase;

/** The family of kernels that runs an operation. The phase picks it, not the number of rows, as in the engine. */
export function efficiencyFamilyOf(kind: OperationKind, phase: Phase): KernelFamily {
  const decode = phase === 'decode';
  if (kind === 'matmul') return decode ? 'matmul-few' : 'matmul-many';
  if (kind === 'attention') return decode ? 'attention-decode' : 'attention-prefill';
  return kind === 'sample' ? 'sample' : 'elementwise';
}

const middle = (a: number, b: number): number => Number(((a + b) / 2).toPrecision(3));

function between(family: keyof typeof A100_FIT): Efficiency {
  const [a, b] = [A100_FIT[family], H100_FIT[family]];
  return {
    compute: middle(a.compute, b.compute),
    bandwidth: middle(a.bandwidth, b.bandwidth),
    overlap: middle(a.overlap, b.overlap),
    launchSeconds: middle(a.launchSeconds, b.launchSeconds),
  };
}

/** Devices without a measurement of their own take the middle of the two that have one. */
const TENSOR_DEFAULT: Efficiencies = {
  'matmul-few': between('matmul-few'),
  'matmul-many': between('matmul-many'),
  elementwise: between('elementwise'),
  // FlashAttention and FlashInfer. The form is that of 270 points of decode and 329 of prompts on two cards
  // (casys-kaist/LLMServingSim, MIT), where decode reaches 0.79 and 0.86 of the bandwidth and takes 13 us beside it, and
  // prompts 0.58 and 0.89 of the matrix rate with hardly any overlap; the values are those that serve H100 and A100 best.
  'attention-prefill': { compute: 0.75, bandwidth: 0.45, overlap: 1, launchSeconds: 5e-6 },
  'attention-decode': { compute: 1, bandwidth: 0.83, overlap: 12, launchSeconds: 9.5e-6 },
  sample: { compute: 0.1, bandwidth: 0.3, overlap: 2, launchSeconds: 10e-6 },
};
/**
 * llama.cpp’s Metal kernels, every other row of M1 Max and M2 Ultra: products stream at the share that libraries reach on
 * NVIDIA's and wait for each launch, as all kernels of a layer do, of which four are counted; attention of tokens reads
 * keys and values once for each query head, so it is bound by computing, at a fiftieth of the f32 rate.
 */
const APPLE_DEFAULT: Partial<Efficiencies> = {
  'matmul-few': { compute: 0.69, bandwidth: 0.89, overlap: 2, launchSeconds: 44e-6 },
  'matmul-many': { compute: 0.69, bandwidth: 0.89, overlap: 2, launchSeconds: 44e-6 },
  'attention-decode': { compute: 0.02, bandwidth: 0.83, overlap: 1, launchSeconds: 9.5e-6 },
};
const APPLE_ORIGIN = 'class: fitted to llama.cpp on M1 Max and M2 Ultra';
const ENGINE_ORIGIN = 'fitted to kernels of the engine';
const TENSOR_ORIGIN = 'default: middle of the fits for A100 and H100';
const ATTENTION_ORIGIN = 'attention as measured on RTX 4090 and RTX PRO 6000, fitted for H100 and A100';
const ASSUMED_ORIGIN = 'assumed for sampling';

/**
 * Plain shader code that was not measured. Public WGSL GEMMs reach a quarter to 70 % of the f32 peak: 2.4 to 2.6 of 3.6
 * TFLOP/s on M2 (audiovention), 0.9 of 2.6 on M1 (wgpu-mm); half is the middle of that.
 */
const shader = (compute: number, bandwidth: number, launchSeconds: number): Efficiency => ({
  compute,
  bandwidth,
  overlap: 2,
  launchSeconds,
});
const SHADER_DEFAULT = (launch: number): Efficiencies => ({
  'matmul-few': shader(0.3, 0.7, launch),
  'matmul-many': shader(0.5, 0.7, launch),
  'attention-decode': shader(0.2, 0.5, launch),
  'attention-prefill': shader(0.3, 0.5, launch),
  elementwise: shader(0.5, 0.5, launch),
  sample: shader(0.1, 0.3, launch),
});
const SHADER_ORIGIN = 'default for WGSL kernels, not measured: run "ridgepoint calibrate"';
const SHADER_LAUNCH = 5e-6;

/** Efficiencies with where each comes from. */
export interface KnownEfficiencies {
  readonly values: Efficiencies;
  readonly origin: Readonly<Record<KernelFamily, string>>;
}

/**
 * What kernels are taken to reach on a piece of hardware: what the caller gives, else what was measured there, else a
 * default.
 */
export function efficienciesOf(
  hardware: Hardware,
  kernels: KernelSet,
  given: Partial<Efficiencies> = {},
  ofEngine: Partial<Efficiencies> = {},
): KnownEfficiencies {
  // Measurements of library kernels say nothing about plain shader code, nor a calibration, which is of the engine's
  // own kernels and their roof, about libraries.
  const engine = kernels === 'shader';
  const measured =
    hardware.kind === 'sram' || engine === (hardware.kind === 'measured') ? hardware.efficiencies : undefined;
  const defaults = engine ? SHADER_DEFAULT(hardware.host?.launchSeconds ?? SHADER_LAUNCH) : TENSOR_DEFAULT;
  const ofClass = !engine && hardware.class === 'apple' ? APPLE_DEFAULT : {};
  const kernelsOf = engine ? {} : ofEngine;
  const values = {} as Record<KernelFamily, Efficiency>;
  const origin = {} as Record<KernelFamily, string>;
  for (const family of KERNEL_FAMILIES) {
    values[family] = given[family] ?? kernelsOf[family] ?? measured?.[family] ?? ofClass[family] ?? defaults[family];
    if (given[family] !== undefined) origin[family] = 'given';
    else if (kernelsOf[family] !== undefined) origin[family] = ENGINE_ORIGIN;
    else if (measured?.[family] !== undefined) origin[family] = hardware.efficiencySource ?? hardware.source;
    else if (ofClass[family] !== undefined) origin[family] = APPLE_ORIGIN;
    else if (engine) origin[family] = SHADER_ORIGIN;
    else if (family === 'sample') origin[family] = ASSUMED_ORIGIN;
    else origin[family] = family.startsWith('attention') ? ATTENTION_ORIGIN : TENSOR_ORIGIN;
  }
  return { values, origin };
}
