import { ARCHITECTURES, type Architecture } from '../../simulator/price/llmcompass/architectures.js';

/** The architecture rows of SPAD's Table 3, and the peaks, caches and bandwidths that follow from them. */

export interface SpadSpec extends Architecture {
  readonly busBits: number;
  readonly gigabitsPerPin: number;
  readonly packages: number;
  readonly packageGB: number;
}

const HBM = { busBits: 5120, gigabitsPerPin: 5.2, packages: 5, packageGB: 16 } as const;

export const SPAD_SPECS = {
  prefill: { ...ARCHITECTURES['spad-prefill'], busBits: 512, gigabitsPerPin: 32, packages: 16, packageGB: 4 },
  decode: { ...ARCHITECTURES['spad-decode'], ...HBM },
  h100: { ...ARCHITECTURES['h100-sxm'], ...HBM },
} as const satisfies Record<string, SpadSpec>;

/** FP16 tensor FLOP/s: a multiply-add for each cell of each lane's array. */
export function tensorFlops({ cores, lanes, systolic, tensorHz }: SpadSpec): number {
  return cores * lanes * systolic[0] * systolic[1] * 2 * tensorHz;
}

/** FP32 FLOP/s of the vector units. */
export function vectorFlops({ cores, lanes, vectorWidth, vectorHz }: SpadSpec): number {
  return cores * lanes * vectorWidth * 2 * vectorHz;
}

/** L1 and L2 in MB as the paper adds them up: a thousand KB to the MB. */
export function cacheMB({ cores, l1KBPerCore, l2MB }: SpadSpec): number {
  return (cores * l1KBPerCore) / 1000 + l2MB;
}

/** GB/s of a memory bus. */
export function busBandwidth(bits: number, gigabitsPerPin: number): number {
  return (bits * gigabitsPerPin) / 8;
}

/** BLOOM-176B: parameters, layers and hidden size; 2 bytes each, every head has its keys and values. */
const BLOOM = { parameters: 176e9, layers: 70, hidden: 14336 };

/** Tokens of KV cache beside BLOOM-176B's weights on eight chips, with 90 % of the memory usable. */
export function bloomTokens(chipBytes: number): number {
  const tokenBytes = 2 * BLOOM.layers * BLOOM.hidden * 2;
  return (8 * chipBytes * 0.9 - 2 * BLOOM.parameters) / tokenBytes;
}
