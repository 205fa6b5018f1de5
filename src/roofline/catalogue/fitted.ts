import type { Efficiency, KernelFamily } from '../calibration.js';

type Fitted = Readonly<Record<KernelFamily, Efficiency>>;

/** One fit of linear layers serves few rows and many: the exponent joins the two regimes. */
function fitted(linear: Efficiency, elementwise: Efficiency): Fitted {
  const { launchSeconds } = linear;
  return {
    'matmul-few': linear,
    'matmul-many': linear,
    // No profile of attention at hand: FlashAttention-2's authors report 50 to 73 % of an A100's peak; for decode, the
    // bandwidth that linear layers reach, less what a split and its reduction cost.
    'attention-prefill': { compute: 0.5, bandwidth: 0.7, overlap: 2, launchSeconds },
    'attention-decode': { compute: 0.25, bandwidth: 0.7, overlap: 2, launchSeconds },
    elementwise,
    sample: { compute: 0.1, bandwidth: 0.3, overlap: 2, launchSeconds: 10e-6 },
  };
}

const SOURCE = (device: string) =>
  `fitted to Vidur's measured Llama-2-7B layers on ${device} (microsoft/vidur, MIT); attention and sampling assumed`;

/**
 * Medians of the four linear layers at 261 token counts of 1 to 4096, on one chip: mean error 5.5 % on the half not
 * fitted. Norms and rope: bandwidth and launch alone.
 */
export const A100_FIT = fitted(
  { compute: 0.701, bandwidth: 0.856, overlap: 2.02, launchSeconds: 6.5e-6 },
  { compute: 1, bandwidth: 0.42, overlap: 1, launchSeconds: 2.5e-6 },
);
export const A100_SOURCE = SOURCE('A100');

/** As for A100; mean error 6.8 % on the half not fitted. */
export const H100_FIT = fitted(
  { compute: 0.767, bandwidth: 0.92, overlap: 1.46, launchSeconds: 5.3e-6 },
  { compute: 1, bandwidth: 0.48, overlap: 1, launchSeconds: 2.2e-6 },
);
export const H100_SOURCE = SOURCE('H100');
