import type { Command } from 'commander';
import type { EngineOptions, GenerateOptions } from '../engine/api.js';
import { checkGenerateOptions, resolveSampling } from '../engine/sampling.js';
import { RidgepointError } from '../errors.js';
import { KV_STORED } from '../kernels/attention-shape.js';
import { WEIGHT_DTYPES } from '../engine/weight-format.js';
import { ACTIVATION_DTYPES } from '../quantization/activations.js';
import { QUANTIZED_DTYPES } from '../quantization/formats.js';
import { logitBias, nonEmpty, number, oneOf, repeated, stopIds, whole } from './parse.js';

/** Options of the model and its engine, under the names commander gives them. */
export interface ModelFlags {
  readonly model?: string;
  readonly adapter?: string;
  readonly dtype?: EngineOptions['dtype'];
  readonly groupSize?: number;
  readonly zeroPoints?: boolean;
  readonly headDtype?: EngineOptions['headDtype'];
  readonly activations?: EngineOptions['activations'];
  readonly kvDtype?: EngineOptions['kvDtype'];
  readonly weights?: EngineOptions['weights'];
  readonly contextLength?: number;
  readonly prefillChunk?: number;
  readonly autotune?: boolean;
  readonly checkWeights?: boolean;
  readonly quiet?: boolean;
}

export type SamplingFlags = Omit<GenerateOptions, 'signal' | 'logprobs' | 'stopIds'> & { readonly stopId?: number[] };

/** Adds the options that say how tokens are chosen and when to stop. */
export function addSamplingOptions(command: Command): Command {
  return command
    .optionsGroup('Sampling (defaults: generation_config.json of the model):')
    .option('--max-tokens <n>', 'most tokens to generate', whole('--max-tokens', 1))
    .option('--temperature <t>', '0 is greedy', number('--temperature'))
    .option('--top-k <k>', 'only the k likeliest tokens; 0 is off', number('--top-k'))
    .option('--top-p <p>', 'only the likeliest tokens that make up p; 1 is off', number('--top-p'))
    .option('--min-p <p>', 'only tokens at least p times as likely as the likeliest; 0 is off', number('--min-p'))
    .option('--repetition-penalty <x>', 'for every token seen; 1 is off', number('--repetition-penalty'))
    .option('--presence-penalty <x>', 'once for a token generated before', number('--presence-penalty'))
    .option('--frequency-penalty <x>', 'each time it was generated before', number('--frequency-penalty'))
    .option('--logit-bias <id=bias>', 'added to the logit of a token (repeatable)', logitBias)
    .option('--seed <n>', 'for a run that can be repeated; random when absent', number('--seed'))
    .option('--stop <text>', 'end before this text (repeatable)', repeated('--stop'))
    .option('--stop-id <ids>', 'end at this token; several with commas between them (repeatable)', stopIds)
    .option('--ignore-eos', 'go on past the end-of-text token');
}

/** A format of weights by one of the names shown, or by one that spells out the groups, such as int4-g64. */
export function weightDtype(option: string): (text: string) => NonNullable<EngineOptions['dtype']> {
  return (text) => QUANTIZED_DTYPES.find((name) => name === text) ?? oneOf(option, WEIGHT_DTYPES)(text);
}

/** Adds the options that say which model runs, where and in which formats. */
export function addModelOptions(command: Command): Command {
  return command
    .optionsGroup('Model and device:')
    .option(
      '--model <model>',
      'a Hugging Face folder, a Hub name (owner/name) or a preset; a small story model is built in',
      nonEmpty('--model', 'a folder, a Hub name or a preset'),
    )
    .option('--adapter <name>', 'part of the name of an adapter; see "ridgepoint devices"')
    .option(
      '--dtype <type>',
      `weights on the GPU: ${WEIGHT_DTYPES.join(', ')}; the last two quantise while loading`,
      weightDtype('--dtype'),
    )
    .option('--group-size <n>', 'columns that share a scale: 32 (int4), 64 or 128 (int8)', whole('--group-size', 1))
    .option('--zero-points', 'int8 and int4 with a zero point for each group, which fits lopsided weights better')
    .option(
      '--head-dtype <type>',
      'embedding and lm_head: as --dtype; f16 beside quantised layers by default',
      weightDtype('--head-dtype'),
    )
    .option(
      '--activations <type>',
      'what projections of prompts multiply: f32, or int8 beside int8 weights',
      oneOf('--activations', ACTIVATION_DTYPES),
    )
    .option(
      '--kv-dtype <type>',
      'keys and values in the cache: auto, f16, f32, or int8 with a scale for each head of a token',
      oneOf('--kv-dtype', ['auto', ...KV_STORED]),
    )
    .option(
      '--weights <source>',
      'checkpoint, or synthetic: pseudo-random numbers, for trying a size',
      oneOf('--weights', ['checkpoint', 'synthetic']),
    )
    .option('--context-length <n>', 'longest sequence to make room for', whole('--context-length', 1))
    .option('--prefill-chunk <n>', 'most prompt tokens in one forward pass', whole('--prefill-chunk', 1))
    .option('--no-autotune', 'the default kernels, not those measured to be fastest on this adapter')
    .option('--check-weights', 'refuse NaN and infinite weights')
    .option('--quiet', 'no progress, hints or summary on standard error');
}

/** The engine's options among a command's, for one sequence at a time. */
export function engineOptions(flags: ModelFlags): EngineOptions {
  const { model, adapter, dtype, kvDtype, weights, contextLength, prefillChunk, autotune, checkWeights } = flags;
  const { groupSize, zeroPoints, headDtype, activations } = flags;
  const formats = { dtype, groupSize, zeroPoints, headDtype, activations, kvDtype };
  const sizes = { contextLength, prefillChunk, maxSequences: 1 };
  return { model, adapter, ...formats, weights, ...sizes, autotune, checkWeights };
}

/** The generation's options among a command's. */
export function generateOptions(flags: SamplingFlags & { readonly logprobs?: number }): GenerateOptions {
  const { maxTokens, stop, ignoreEos, logprobs } = flags;
  const { temperature, topK, topP, minP, repetitionPenalty, presencePenalty, frequencyPenalty, seed } = flags;
  const sampling = { temperature, topK, topP, minP, repetitionPenalty, presencePenalty, frequencyPenalty, seed };
  return { ...sampling, logitBias: flags.logitBias, maxTokens, stop, stopIds: flags.stopId, ignoreEos, logprobs };
}

/** No vocabulary is larger; the true one is known, and checked, only once the model is there. */
const ANY_VOCABULARY = 2 ** 32;

/**
 * Checks what can be checked before a model is loaded, by the engine's own rules.
 *
 * @throws RidgepointError naming the option
 */
export function checkOptions(options: GenerateOptions): void {
  checkGenerateOptions(options, ANY_VOCABULARY);
  resolveSampling(options, {}, ANY_VOCABULARY, () => 0);
}

const API_NAMES =
  /(?<!-)\b(maxTokens|temperature|topK|topP|minP|repetitionPenalty|presencePenalty|frequencyPenalty|logitBias|seed|stop|stopIds|logprobs|contextLength|groupSize|zeroPoints|headDtype|activations|dtype|prefillChunk|checkWeights|kvDtype|policy)\b(?= (must|names|of token|in int8|\d))/g;

/** Errors about options speak of the library's names; on the command line they go by their flags. */
export function withFlagNames(error: unknown): unknown {
  if (!(error instanceof RidgepointError) || error.code !== 'usage') return error;
  const message = error.message.replace(
    API_NAMES,
    (name) => `--${name.replace(/Ids$/, 'Id').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  );
  return new RidgepointError(error.code, message, { cause: error });
}
