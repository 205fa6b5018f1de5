import type { Efficiency, KernelFamily } from '../families.js';
import type { Efficiencies } from '../hardware.js';

type Fitted = Readonly<Record<Exclude<KernelFamily, 'attention-decode' | 'attention-prefill' | 'sample'>, Efficiency>>;

/** One fit of linear layers serves few rows and many: the exponent joins the two regimes. */
const fitted = (linear: Efficiency, elementwise: Efficiency): Fitted => ({
  'matmul-few': linear,
  'matmul-many': linear,
  elementwise,
});

/**
 * Medians of the four linear layers at 261 token counts of 1 to 4096, on one chip. Mean error 5.5 % on the half not
 * fitted, and 7 to 9 % on layers divided among 2, 4 and 8 chips, which were not fitted at all; without the cost of a
 * launch those would be 8 to 15 %. Norms and rope: bandwidth and launch alone.
 */
export const A100_FIT = fitted(
  { compute: 0.701, bandwidth: 0.856, overlap: 2.02, launchSeconds: 6.5e-6 },
  { compute: 1, bandwidth: 0.42, overlap: 1, launchSeconds: 2.5e-6 },
);
export const A100_SOURCE = 'fit to Vidur’s measured Llama-2-7B layers on A100 (microsoft/vidur, MIT)';

/** As for A100: 6.8 %, and 7 to 9 % on divided layers, where 10 to 24 % would be left without the cost of a launch. */
export const H100_FIT = fitted(
  { compute: 0.767, bandwidth: 0.92, overlap: 1.46, launchSeconds: 5.3e-6 },
  { compute: 1, bandwidth: 0.48, overlap: 1, launchSeconds: 2.2e-6 },
);
export const H100_SOURCE = 'fit to Vidur’s measured Llama-2-7B layers on H100 (microsoft/vidur, MIT)';

/**
 * Attention of prompts of Llama-3.1-8B by chunk and cached tokens, one layer: 96 points on the RTX 4090 and 233 on the
 * RTX PRO 6000, every other one fitted. On the others the error is 19 and 20 %, where the default leaves 26 and 33.
 * Decoding is served as well by the default (17 and 13 %), which so stays.
 */
export const RTX_4090_ATTENTION: Efficiency = { compute: 0.876, bandwidth: 0.58, overlap: 1, launchSeconds: 8.5e-6 };
export const RTX_PRO_6000_ATTENTION: Efficiency = {
  compute: 0.528,
  bandwidth: 0.162,
  overlap: 2.41,
  launchSeconds: 5.1e-6,
};
export const ATTENTION_SOURCE = 'fit to attention of Llama-3.1-8B measured there (casys-kaist/LLMServingSim, MIT)';

/**
 * Chips of the M1 generation under llama.cpp: unpacking 4-bit weights for few rows takes more instructions than memory
 * takes to stream them, and binds at 0.068 of the f32 rate; prompts reach 0.62 of it. Later chips are not so bound. Every
 * other one of 24 rows on M1 Max.
 */
export const M1_FIT: Partial<Efficiencies> = {
  'matmul-few': { compute: 0.081, bandwidth: 0.89, overlap: 4, launchSeconds: 44e-6 },
  'matmul-many': { compute: 0.62, bandwidth: 0.89, overlap: 2, launchSeconds: 44e-6 },
};
export const M1_SOURCE = 'fit to llama.cpp on M1 Max (XiongjieDai/GPU-Benchmarks-on-LLM-Inference)';
