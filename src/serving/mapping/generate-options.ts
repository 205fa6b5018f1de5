import type { GenerateOptions, TextEngine } from '../../engine/api.js';
import type { GenerationRequest } from '../schema/generation.js';
import { optionsIn } from '../schema/option-fields.js';

/** OpenAI's default, for models whose `generation_config.json` does not say how to sample. */
const DEFAULT_TEMPERATURE = 1;

/** Those that all choices of a request have. */
const SHARED = [
  ...(['maxTokens', 'stop', 'stopIds', 'ignoreEos', 'priority', 'minTokens', 'topK', 'topP', 'minP'] as const),
  ...(['repetitionPenalty', 'presencePenalty', 'frequencyPenalty', 'logitBias'] as const),
  ...(['includeStop', 'skipSpecialTokens'] as const),
] as const;

/** The engine's options for a request; those that differ between its choices are in `choiceOptions`. */
export function generateOptions(
  request: GenerationRequest,
  engine: Pick<TextEngine, 'defaults'>,
): Omit<GenerateOptions, 'seed' | 'signal' | 'constraint' | 'logprobs'> {
  const byModel = engine.defaults.temperature ?? 0;
  return {
    ...optionsIn(request, SHARED),
    repetitionPenalty: request.repetition_penalty ?? request.repeat_penalty,
    temperature: request.temperature ?? (byModel > 0 ? byModel : DEFAULT_TEMPERATURE),
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
