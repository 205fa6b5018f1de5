import type { BenchOptions } from './schema.js';

export const PARTS = ['end-to-end', 'llama-bench', 'operations'] as const;

/** What is measured where nobody asks for other points. */
export const FULL: BenchOptions = {
  ...{ prompts: [32, 128, 512], contexts: [0, 128, 512], batches: [1, 2, 4, 8] },
  ...{ gen: 32, repetitions: 9, warmup: 1, grid: 'full', parts: [...PARTS], prompt: 'text' },
};

/**
 * Fits the embedded model's context of 512, and a minute on a software driver. The budget leaves time for loading; a
 * slow driver repeats less.
 */
export const QUICK: BenchOptions = {
  ...FULL,
  ...{ prompts: [32, 128, 384], contexts: [0, 128, 384], gen: 16, budget_s: 45, grid: 'cross' },
};
