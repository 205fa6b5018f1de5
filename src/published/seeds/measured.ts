/** Measurements the documents are held against. Data with a source, not results of this project. */

/**
 * Medians of the Azure LLM inference traces of 2023 (Azure/AzurePublicDataset, CC-BY-4.0, Patel et al., ISCA 2024),
 * counted over all 8,819 and 19,366 rows.
 */
export const AZURE_MEDIANS = {
  coding: { prompt: 1469, output: 13 },
  conversation: { prompt: 1020, output: 129 },
} as const;

/** FLOPs a token of Llama-2-7B's linear layers, without embedding and LM head: 32 of four attention and three MLP matrices. */
const LINEAR_FLOPS = 2 * 32 * (4 * 4096 ** 2 + 3 * 4096 * 11008);

/** Milliseconds of those layers at so many tokens, from Vidur's profiles (microsoft/vidur, MIT): median times 32. */
const VIDUR_MS = {
  a100: { 1: 8.512, 64: 8.896, 2048: 122.4 },
  h100: { 1: 4.992, 64: 5.184, 2048: 34.784 },
} as const;
const PEAK = { a100: 312e12, h100: 989.4e12 } as const;

/**
 * A product of 2048 x 12288 x 12288 in fp16 on an A100, ms (PrincetonUniversity/LLMCompass, BSD-3, its measurements of
 * real hardware).
 */
const LARGE_PRODUCT = { flops: 2 * 2048 * 12_288 ** 2, ms: 2.359 } as const;

/** Percent of the A100's fp16 tensor peak that this product reaches. */
export const largeProductUtilisation = () => (100 * LARGE_PRODUCT.flops) / (LARGE_PRODUCT.ms * 1e-3) / PEAK.a100;

/** Percent of the fp16 tensor peak that was in use. */
export function measuredUtilisation(device: keyof typeof VIDUR_MS, tokens: 1 | 64 | 2048): number {
  return (100 * LINEAR_FLOPS * tokens) / (VIDUR_MS[device][tokens] * 1e-3) / PEAK[device];
}
