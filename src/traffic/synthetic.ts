import type { TraceRow } from './azure.js';
import { Draws } from './draws.js';

/** Values at the shares `SHARES` of a distribution. */
type Quantiles = readonly number[];

const SHARES: Quantiles = [
  0, 0.01, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.99, 0.999, 1,
];

/**
 * Quantiles of the two Azure LLM inference traces of 2023 (github.com/Azure/AzurePublicDataset, CC-BY-4.0, published with
 * Patel et al., "Splitwise: Efficient generative LLM inference using phase splitting", ISCA 2024): 8,819 requests of a
 * coding service and 19,366 of a conversation service, about an hour each. Lengths are tokens, gaps milliseconds between
 * one request and the next.
 */
const SERVICES = {
  code: {
    prompt: [3, 17, 75, 147, 386, 578, 770, 1075, 1469, 1909, 2433, 2745, 3192, 5188, 7303, 7436, 7437, 7437],
    output: [6, 6, 6, 7, 8, 9, 9, 11, 13, 16, 20, 24, 29, 55, 90, 251.5, 825.3, 1899],
    gap: [
      0.01, 0.02, 0.09, 0.21, 1.18, 2.08, 3.29, 15.11, 63.8, 94.99, 100.1, 104, 160.1, 272.9, 400.8, 2205, 79230,
      217200,
    ],
  },
  conversation: {
    prompt: [2, 29, 181, 207, 387, 396, 403, 703, 1020, 1071, 1130, 1189, 1315, 2735, 4083, 4142, 6179, 14050],
    output: [7, 16, 41, 54, 77, 85, 91, 103, 129, 177, 384, 395, 400, 424, 451, 601, 954, 1000],
    gap: [
      0.01, 0.5464, 6.32, 16.15, 36.52, 48.27, 60.72, 87.25, 118.4, 158.7, 213.6, 246.7, 288.8, 420.7, 565.2, 889.7,
      1411, 4315,
    ],
  },
} as const satisfies Record<string, Record<'prompt' | 'output' | 'gap', Quantiles>>;

export type Service = keyof typeof SERVICES;
export const SERVICE_NAMES = Object.keys(SERVICES) as Service[];

/**
 * Requests as one of the two services has them, for where the traces are not at hand: prompt, answer and gap are drawn
 * each from its distribution, independently (in the traces the logarithms of prompt and answer have a correlation of
 * 0.00 and 0.09). What is lost is that bursts last: gaps follow each other in any order here.
 */
export function syntheticTrace(service: Service, count: number, seed: number): TraceRow[] {
  const { prompt, output, gap } = SERVICES[service];
  const [prompts, outputs, gaps] = ['prompt', 'output', 'gap'].map((what) => new Draws(seed, `${service} ${what}`));
  let at = 0;
  return Array.from({ length: count }, (_, index) => {
    if (index > 0) at += valueAt(gap, gaps.uniform());
    return {
      atMs: at,
      promptTokens: Math.round(valueAt(prompt, prompts.uniform())),
      outputTokens: Math.round(valueAt(output, outputs.uniform())),
    };
  });
}

/** The value below which a share of a distribution lies, logarithmic between known quantiles. */
function valueAt(quantiles: Quantiles, share: number): number {
  const above = Math.max(
    1,
    SHARES.findIndex((known) => known >= share),
  );
  const weight = (share - SHARES[above - 1]) / (SHARES[above] - SHARES[above - 1]);
  return quantiles[above - 1] * (quantiles[above] / quantiles[above - 1]) ** weight;
}
