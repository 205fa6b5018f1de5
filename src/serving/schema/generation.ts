import * as z from 'zod';
import { tokenRuleFields } from './forms.js';
import { areIds, listOf } from './list.js';
import { logitBias } from './logit-bias.js';
import { numberFields } from './option-fields.js';

/** A list of stop strings is looked through at every token. */
const MOST_STOPS = 16;
/** Looked up in a set. */
const MOST_STOP_IDS = 1024;
/** Characters of all of them together: a table is made of each, for every choice. */
const MOST_STOP_CHARACTERS = 4096;

const whole = z.number().refine(Number.isInteger, 'expected a whole number');

const stopList = listOf(z.string('expected a string or a list of strings'), MOST_STOPS);

const stop = z
  .unknown()
  .transform((value, context): readonly string[] | undefined => {
    if (value === undefined) return undefined;
    const result = typeof value === 'string' ? stopList.safeParse([value]) : stopList.safeParse(value);
    const wrong = result.success ? undefined : result.error.issues[0].message;
    const length = (result.data ?? []).reduce((sum, text) => sum + text.length, 0);
    const message =
      wrong === 'expected array'
        ? 'expected a string or a list of strings'
        : (wrong ??
          (length > MOST_STOP_CHARACTERS ? `expected at most ${MOST_STOP_CHARACTERS} characters in all` : undefined));
    if (message === undefined) return result.data;
    context.issues.push({ code: 'custom', message, input: undefined });
    return z.NEVER;
  })
  .optional();

const streamOptions = z.strictObject({
  include_usage: z.boolean().nullish(),
  // Padding against eavesdroppers who count bytes; TLS is a proxy's here.
  include_obfuscation: z.boolean().nullish(),
  continuous_usage_stats: z.literal(false, { error: 'usage in every event is not supported by this server' }).nullish(),
});

/**
 * Fields that all endpoints that generate have in common. Ranges of sampling options are the engine's to check, so
 * that there is one rule for the library, the command line and the server.
 */
export const generationFields = {
  model: z.string().optional(),
  n: z.int().min(1).max(128).default(1),
  stream: z.boolean().default(false),
  stream_options: streamOptions.optional(),
  max_tokens: z.int().min(1).optional(),
  stop,
  seed: whole.optional(),
  ...numberFields(['temperature', 'topP', 'minP', 'repetitionPenalty', 'presencePenalty', 'frequencyPenalty']),
  logit_bias: logitBias,
  // Not in OpenAI's API; named as in vLLM.
  top_k: z
    .int()
    .optional()
    .transform((k) => (k === -1 ? 0 : k)),
  ignore_eos: z.boolean().optional(),
  min_tokens: z.int().optional(),
  include_stop_str_in_output: z.boolean().optional(),
  skip_special_tokens: z.boolean().optional(),
  truncate_prompt_tokens: z
    .int()
    .refine((count) => count === -1 || count >= 1, 'expected a whole number of at least 1, or -1')
    .optional(),
  ...tokenRuleFields,
  /** llama-server's names, where OpenAI's or vLLM's is absent. */
  n_predict: z
    .int()
    .transform((count) => (count === -1 ? undefined : count))
    .optional(),
  repeat_penalty: z.number().optional(),
  stop_token_ids: z
    .custom<readonly number[]>(areIds, 'expected a list of token ids')
    .refine((ids) => ids.length <= MOST_STOP_IDS, `expected at most ${MOST_STOP_IDS} token ids`)
    .optional(),
  priority: z.int().optional(),
  return_token_ids: z.boolean().optional(),
  // This server's own: what was expected, and what is to be promised.
  timings: z.boolean().optional(),
  ttft_slo_ms: z.number().positive().optional(),
  itl_slo_ms: z.number().positive().optional(),
};

export const streamOptionsNeedStream = {
  check: (request: { stream: boolean; stream_options?: unknown }): boolean =>
    request.stream || request.stream_options === undefined,
  error: { path: ['stream_options'], error: 'only allowed with "stream": true' },
};

/** What the mapping to the engine's options reads, whichever endpoint it is. */
export type GenerationRequest = z.output<z.ZodObject<typeof generationFields>>;
