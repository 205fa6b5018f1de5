import type { GenerateOptionName } from '../../wording.js';
import type { GenerateOptions } from '../api.js';
import type { OptionEntry } from './entry.js';
import { biases, number, texts, toggle, tokenIds, whole } from './kinds.js';

/** What an option of a generation has for its value. */
export type GenerateOptionValue<K extends GenerateOptionName> = NonNullable<GenerateOptions[K]>;

/** The options of `generate`. Defaults are those of sampling where the model's files say nothing. */
export const GENERATE_OPTIONS = {
  maxTokens: {
    kind: whole(1),
    flags: '--max-tokens <n>',
    help: 'most tokens to generate',
    wire: 'max_tokens',
  },
  temperature: {
    kind: number({ low: 0, high: 100 }),
    flags: '--temperature <t>',
    help: '0 is greedy',
    wire: 'temperature',
    default: 0,
  },
  topK: {
    kind: whole(0, 0xffffffff),
    flags: '--top-k <k>',
    help: 'only the k likeliest tokens; 0 is off',
    wire: 'top_k',
    default: 0,
  },
  topP: {
    kind: number({ low: 0, above: true, high: 1 }),
    flags: '--top-p <p>',
    help: 'only the likeliest tokens that make up p; 1 is off',
    wire: 'top_p',
    default: 1,
  },
  minP: {
    kind: number({ low: 0, high: 1 }),
    flags: '--min-p <p>',
    help: 'only tokens at least p times as likely as the likeliest; 0 is off',
    wire: 'min_p',
    default: 0,
  },
  repetitionPenalty: {
    kind: number({ low: 0, above: true, high: 100 }),
    flags: '--repetition-penalty <x>',
    help: 'for every token seen; 1 is off',
    wire: 'repetition_penalty',
    default: 1,
  },
  presencePenalty: {
    kind: number({ low: -100, high: 100 }),
    flags: '--presence-penalty <x>',
    help: 'once for a token generated before',
    wire: 'presence_penalty',
    default: 0,
  },
  frequencyPenalty: {
    kind: number({ low: -100, high: 100 }),
    flags: '--frequency-penalty <x>',
    help: 'each time it was generated before',
    wire: 'frequency_penalty',
    default: 0,
  },
  logitBias: {
    kind: biases,
    flags: '--logit-bias <id=bias>',
    help: 'added to the logit of a token (repeatable)',
    wire: 'logit_bias',
  },
  seed: {
    kind: whole(0, 0xffffffff),
    flags: '--seed <n>',
    help: 'for a run that can be repeated; random when absent',
    wire: 'seed',
  },
  stop: {
    kind: texts,
    flags: '--stop <text>',
    help: 'end before this text (repeatable)',
    wire: 'stop',
  },
  stopIds: {
    kind: tokenIds,
    flags: '--stop-id <ids>',
    help: 'end at this token; several with commas between them (repeatable)',
    wire: 'stop_token_ids',
  },
  ignoreEos: {
    kind: toggle,
    flags: '--ignore-eos',
    help: 'go on past the end-of-text token',
    wire: 'ignore_eos',
    default: false,
  },
  minTokens: { kind: whole(0), wire: 'min_tokens', default: 0 },
  includeStop: { kind: toggle, wire: 'include_stop_str_in_output', default: false },
  skipSpecialTokens: { kind: toggle, wire: 'skip_special_tokens', default: true },
  logprobs: {
    kind: whole(0),
    flags: '--logprobs <n>',
    help: 'log-probabilities of each token and of the n likeliest',
    wire: 'logprobs',
  },
  priority: { kind: number(), wire: 'priority', default: 0 },
} as const satisfies { [K in GenerateOptionName]: OptionEntry<GenerateOptionValue<K>> };
