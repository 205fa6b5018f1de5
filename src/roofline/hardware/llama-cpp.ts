import type { EngineCosts, EngineProfile } from './engines.js';
import type { Efficiency } from './families.js';
import type { Efficiencies } from './hardware.js';

/**
 * Kernels of llama.cpp without flash attention, of May 2024: constants are fitted to every other row of eight devices of
 * XiongjieDai/GPU-Benchmarks-on-LLM-Inference, whose rows `ridgepoint ledger --fetch gpu-benchmarks` gets.
 */

/**
 * Attention of prompts computes at the share that libraries reach and moves scores beside: 20 bytes by count of what is
 * written and read (4 as a product, 8 by the softmax, 6 to make them f16, 2 to multiply with values), 24 as fitted.
 */
const SCORE_BYTES = 24;
const PROMPT_ATTENTION: Efficiency = { compute: 0.75, bandwidth: 0.9, overlap: 1, launchSeconds: 9.5e-6 };

/**
 * Products of few rows reach the share of bandwidth that libraries do, and wait for each launch: of a layer's fifteen or
 * so kernels four are products here, which so carry what the others leave idle.
 */
const products = (launchSeconds: number): Partial<Efficiencies> => ({
  'matmul-few': { compute: 0.734, bandwidth: 0.888, overlap: 1.74, launchSeconds },
  'attention-decode': { compute: 1, bandwidth: 0.83, overlap: 1, launchSeconds: 9.5e-6 },
  'attention-prefill': PROMPT_ATTENTION,
});
/**
 * Cards of NVIDIA from 2020 on. Those of the RTX 40 series and their siblings start kernels faster, and their prompts are
 * as fast as the watts allow: RTX 4090 and L40S, which are fitted, take 1.96 and 2.1 W for each TFLOP/s.
 */
const NVIDIA = products(22.5e-6);
const ADA: Partial<EngineCosts> = { efficiencies: products(16e-6), promptWatts: 2 };

/** How much longer matrix units take in prompts of 512 rows at a time than libraries' do, by the roof of sums in f16. */
const GEFORCE = 1.4;
/** Cards whose matrix units so few rows do not fill. */
const [AMPERE_SERVER, HOPPER_SERVER] = [1.8, 3.35];

const each = (ids: string, costs: Partial<EngineCosts>): Record<string, Partial<EngineCosts>> =>
  Object.fromEntries(ids.split(' ').map((id) => [id, costs]));

export const LLAMA_CPP_COSTS: Partial<EngineCosts> & Pick<EngineProfile, 'ofClass' | 'on'> = {
  promptChunk: 512,
  scoreBytes: SCORE_BYTES,
  efficiencies: { 'attention-prefill': PROMPT_ATTENTION },
  ofClass: {
    nvidia: {
      efficiencies: NVIDIA,
      halfSums: true,
      promptCompute: GEFORCE,
      decodeAttentionFlops: 2.6e12,
      fewRowsBytes: 1.22e12,
    },
  },
  on: {
    ...each('rtx-4070-ti rtx-4080 rtx-4090 rtx-5080 rtx-5090 rtx-4000-ada rtx-5000-ada rtx-6000-ada l40s l4', ADA),
    ...each('a100-40 a100-80 a100-pcie', { promptCompute: AMPERE_SERVER }),
    ...each('h100-pcie h100-sxm h100-capped h200', { promptCompute: HOPPER_SERVER }),
  },
};
