import { RidgepointError } from '../../errors.js';
import { option, words } from '../../wording.js';
import type { GenerateOptions, SamplingOptions } from '../api.js';
import { checkOption, found, refuseOption } from './check.js';
import { tokenIds } from './kinds.js';
import { GENERATE_OPTIONS } from './generate-options.js';

/** Sampling options with every neutral value spelled out. */
export interface ResolvedSampling {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  readonly logitBias: Readonly<Record<number, number>>;
  readonly seed: number;
}

/** Options that are a number each, with a value that changes nothing. */
export const SAMPLING_NUMBERS = [
  ...(['temperature', 'topK', 'topP', 'minP'] as const),
  ...(['repetitionPenalty', 'presencePenalty', 'frequencyPenalty'] as const),
] as const;

/**
 * Joins a call's options with the model's defaults and checks them.
 *
 * @throws RidgepointError naming the option and its range
 */
export function resolveSampling(
  options: SamplingOptions,
  defaults: SamplingOptions,
  vocab: number,
  randomSeed: () => number,
): ResolvedSampling {
  const numbers: Record<string, number> = {};
  for (const name of SAMPLING_NUMBERS) {
    const value = options[name] ?? defaults[name] ?? GENERATE_OPTIONS[name].default;
    checkOption(name, value);
    numbers[name] = value;
  }
  // Below this, dividing by the temperature overflows f32; the limit of such a distribution is greedy anyway.
  if (numbers['temperature'] < 1e-4) numbers['temperature'] = 0;
  const logitBias = options.logitBias ?? defaults.logitBias ?? {};
  for (const [id, bias] of Object.entries(logitBias)) {
    const token = Number(id);
    if (!Number.isInteger(token) || token < 0 || token >= vocab) {
      refuseOption('logitBias', `names token ${id}, but the vocabulary has ids 0 to ${vocab - 1}`);
    }
    if (typeof bias !== 'number' || Number.isNaN(bias)) {
      refuseOption('logitBias', `of token ${id} must be a number, found ${found(bias)}`);
    }
  }
  const seed = options.seed ?? defaults.seed ?? randomSeed();
  checkOption('seed', seed);
  return { ...(numbers as unknown as ResolvedSampling), logitBias, seed };
}

const CHECKED = [
  ...(['maxTokens', 'minTokens', 'logprobs', 'stop', 'stopIds', 'ignoreEos', 'priority'] as const),
  ...(['includeStop', 'skipSpecialTokens'] as const),
] as const;

/** Checks the options that are not about sampling. @throws RidgepointError naming the option */
export function checkGenerateOptions(options: GenerateOptions, vocab: number): void {
  const { logprobs, stopIds, minTokens, maxTokens } = options;
  for (const name of CHECKED) {
    checkOption(name, options[name]);
  }
  if (logprobs !== undefined && logprobs > vocab) {
    refuseOption('logprobs', `must be at most ${vocab}, the size of the vocabulary, found ${logprobs}`);
  }
  if (minTokens !== undefined && maxTokens !== undefined && minTokens > maxTokens) {
    refuseOption('minTokens', words`is ${minTokens}, more than ${option('maxTokens', maxTokens)}`);
  }
  const strange = stopIds?.find((id) => id >= vocab);
  if (strange !== undefined) {
    refuseOption('stopIds', `names token ${strange}, but the vocabulary has ids 0 to ${vocab - 1}`);
  }
}

/** @throws RidgepointError where ids to go on from are none, or are more than may be generated */
export function checkResumed(resume: readonly number[] | undefined, vocab: number, maxTokens: number): void {
  if (resume === undefined) return;
  if (!tokenIds.accepts(resume)) {
    throw new RidgepointError('usage', `resume must be ${tokenIds.wanted}, found ${found(resume)}`);
  }
  const strange = resume.find((id) => id >= vocab);
  if (strange !== undefined) {
    throw new RidgepointError('usage', `resume names token ${strange}, but the vocabulary has ids 0 to ${vocab - 1}`);
  }
  if (resume.length <= maxTokens) return;
  throw new RidgepointError('usage', `resume has ${resume.length} ids, but at most ${maxTokens} may be generated`);
}

/** @throws RidgepointError for stop strings where no text is made */
export function checkStopsHaveText(options: GenerateOptions, hasTokenizer: boolean): void {
  if (hasTokenizer || options.stop === undefined || options.stop.length === 0) return;
  refuseOption('stop', words`needs a tokenizer, which this model folder lacks; use ${option('stopIds')}`);
}
