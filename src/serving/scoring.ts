import type { GenerationChunk, TextEngine } from '../engine/api.js';
import { TokenPath } from '../grammar/token-path.js';
import type { Lifetime } from './http/lifetime.js';

type TokenLogprobs = NonNullable<GenerationChunk['logprobs']>;

/**
 * Log-probabilities of a prompt's tokens, all but the first, which has none: the engine writes the prompt from its
 * first token on and may take no other way. So it shares steps with everybody else and needs nothing of its own.
 *
 * @param ids at least one, all of the vocabulary
 * @param count of the likeliest that are reported with each
 * @throws ApiError where the request's life ends; whatever the engine fails with
 */
export async function scorePrompt(
  engine: TextEngine,
  ids: readonly number[],
  count: number,
  lifetime: Lifetime,
): Promise<TokenLogprobs> {
  if (ids.length < 2) return [];
  const generation = engine.generate([ids[0]], {
    maxTokens: ids.length - 1,
    ignoreEos: true,
    temperature: 0,
    repetitionPenalty: 1,
    presencePenalty: 0,
    frequencyPenalty: 0,
    logitBias: {},
    seed: 0,
    logprobs: count,
    constraint: new TokenPath(ids, engine.config.vocab),
    signal: lifetime.signal,
  });
  const found: TokenLogprobs[number][] = [];
  for await (const { logprobs } of generation) found.push(...(logprobs ?? []));
  lifetime.throwIfEnded();
  return found;
}
