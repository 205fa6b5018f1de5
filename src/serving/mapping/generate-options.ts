import type { GenerateOptions, TextEngine } from '../../engine/api.js';
import type { GenerationRequest } from '../schema/generation.js';

/** OpenAI's default, for models whose `generation_config.json` does not say how to sample. */
const DEFAULT_TEMPERATURE = 1;

/** The engine's options for a request; those that differ between its choices are in `choiceOptions`. */
export function generateOptions(
  request: GenerationRequest,
  engine: Pick<TextEngine, 'defaults'>,
): Omit<GenerateOptions, 'seed' | 'signal' | 'constraint' | 'logprobs'> {
  const byModel = engine.defaults.temperature ?? 0;
  return {
    maxTokens: request.max_tokens,
    stop: request.stop,
    stopIds: request.stop_token_ids,
    ignoreEos: request.ignore_eos,
    priority: request.priority,
    temperature: request.temperature ?? (byModel > 0 ? byModel : DEFAULT_TEMPERATURE),
    topK: request.top_k,
    topP: request.top_p,
    minP: request.min_p,
    repetitionPenalty: request.repetition_penalty,
    presencePenalty: request.presence_penalty,
    frequencyPenalty: request.frequency_penalty,
    logitBias: request.logit_bias,
  };
}

/**
 * The seed of one of a request's choices, each another: any whole number to the 32 bits the engine takes.
 *
 * @param seed as requested; undefined for one drawn by the engine
 */
export function choiceSeed(seed: number | undefined, index: number): number | undefined {
  return seed === undefined ? undefined : Number(BigInt.asUintN(32, BigInt(seed) + BigInt(index)));
}
