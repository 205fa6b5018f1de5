import type { GenerationResult } from '../../engine/api.js';

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
}

/**
 * Tokens of a request. A prompt counts once, however many choices it has.
 *
 * @param results of all choices, in order
 * @param n choices of each prompt
 */
export function usageOf(results: readonly GenerationResult[], n: number): Usage {
  let prompt = 0;
  let completion = 0;
  let cached = 0;
  results.forEach((result, index) => {
    completion += result.ids.length;
    if (index % n !== 0) return;
    prompt += result.promptIds.length;
    cached += result.cachedTokens;
  });
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached },
  };
}
