/** A chip as LLMCompass describes it (Zhang et al., ISCA 2024): cores of lanes, each a vector unit and a systolic array. */
export interface Architecture {
  readonly cores: number;
  readonly lanes: number;
  /** FP32 numbers that a lane's vector unit takes a cycle; of f16 twice as many. */
  readonly vectorWidth: number;
  /** Height and width of a lane's array. */
  readonly systolic: readonly [number, number];
  readonly l1KBPerCore: number;
  readonly l2MB: number;
  /** Cycles a second of the arrays and of the vector units. */
  readonly tensorHz: number;
  readonly vectorHz: number;
}

const HOPPER = { lanes: 4, tensorHz: 1.83e9, vectorHz: 1.98e9 } as const;

/** By the id of the catalogue. SPAD's Table 3; the A100 as LLMCompass has it. */
export const ARCHITECTURES = {
  'spad-prefill': { ...HOPPER, cores: 128, vectorWidth: 16, systolic: [32, 32], l1KBPerCore: 320, l2MB: 32 },
  'spad-decode': { ...HOPPER, cores: 144, vectorWidth: 8, systolic: [16, 16], l1KBPerCore: 128, l2MB: 30 },
  'h100-sxm': { ...HOPPER, cores: 132, vectorWidth: 32, systolic: [16, 32], l1KBPerCore: 256, l2MB: 50 },
  'a100-80': {
    ...{ cores: 108, lanes: 4, vectorWidth: 32, systolic: [16, 16], l1KBPerCore: 192, l2MB: 40 },
    ...{ tensorHz: 1.41e9, vectorHz: 1.41e9 },
  },
} as const satisfies Record<string, Architecture>;

/** Bytes that the second cache gives a core a cycle, which LLMCompass takes 5,120 of for the 108 of an A100. */
export const L2_BYTES_PER_CORE = 5120 / 108;

/** FLOP/s of f16 on the vector units. */
export const vectorRate = ({ cores, lanes, vectorWidth, vectorHz }: Architecture): number =>
  cores * lanes * vectorWidth * 2 * 2 * vectorHz;
