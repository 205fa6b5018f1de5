import type { EngineOptions, GenerateOptions } from '../../engine/api.js';
import { checkGenerateOptions, resolveSampling } from '../../engine/options/sampling.js';
import { toggle } from '../../engine/options/kinds.js';
import { addTable, type CommandTable } from './command-table.js';
import { group } from './group.js';
import { addTableOptions, optionsAmong, type FlagsOf } from './table-flags.js';

const SAMPLING = [
  ...(['maxTokens', 'temperature', 'topK', 'topP', 'minP'] as const),
  ...(['repetitionPenalty', 'presencePenalty', 'frequencyPenalty', 'logitBias', 'seed'] as const),
  ...(['stop', 'stopIds', 'ignoreEos'] as const),
] as const;

const FORMATS = ['dtype', 'groupSize', 'zeroPoints', 'headDtype', 'activations', 'kvDtype'] as const;
const MODEL = [
  ...(['model', 'adapter', ...FORMATS, 'weights', 'contextLength', 'prefillChunk'] as const),
  ...(['autotune', 'checkWeights'] as const),
] as const;

/** Options that say how much is told, which several commands have. */
export const COMMON = {
  json: { json: { kind: toggle, flags: '--json', help: 'print JSON' } },
  progress: { quiet: { kind: toggle, flags: '--quiet', help: 'no progress on standard error' } },
  remarks: { quiet: { kind: toggle, flags: '--quiet', help: 'no progress, hints or summary on standard error' } },
  silence: { quiet: { kind: toggle, flags: '--quiet', help: 'nothing on standard error' } },
} as const satisfies Readonly<Record<string, CommandTable>>;

/** Options of the model and its engine. */
export type ModelFlags = FlagsOf<(typeof MODEL)[number]> & { readonly quiet?: boolean };

export type SamplingFlags = FlagsOf<(typeof SAMPLING)[number]>;

/** Adds the options that say how tokens are chosen and when to stop. */
export const addSamplingOptions = group((command) =>
  addTableOptions(command.optionsGroup('Sampling (defaults: generation_config.json of the model):'), SAMPLING),
);

/** Adds the options that say which model runs, where and in which formats. */
export const addModelOptions = group((command) =>
  addTable(addTableOptions(command.optionsGroup('Model and device:'), MODEL), 'common', COMMON.remarks),
);

/** The engine's options among a command's, for one sequence at a time. */
export function engineOptions(flags: ModelFlags): EngineOptions {
  return { ...optionsAmong(flags, MODEL), maxSequences: 1 };
}

/** The generation's options among a command's. */
export function generateOptions(flags: SamplingFlags & FlagsOf<'logprobs'>): GenerateOptions {
  return optionsAmong(flags, [...SAMPLING, 'logprobs']);
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
