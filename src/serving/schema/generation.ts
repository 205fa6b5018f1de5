import { z } from 'zod';

/** A list of stop strings is looked through at every token. */
const MOST_STOPS = 16;

const whole = z.number().refine(Number.isInteger, 'expected a whole number');

/**
 * Fields that all endpoints that generate have in common. Ranges of sampling options are the engine's to check, so
 * that there is one rule for the library, the command line and the server.
 */
export const generationFields = {
  model: z.string().optional(),
  n: z.int().min(1).max(128).default(1),
  stream: z.boolean().default(false),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).optional(),
  max_tokens: z.int().min(1).optional(),
  stop: z
    .union([z.string(), z.array(z.string())], { error: 'expected a string or a list of strings' })
    .transform((stop) => (typeof stop === 'string' ? [stop] : stop))
    .refine((stop) => stop.length <= MOST_STOPS, `expected at most ${MOST_STOPS} strings`)
    .optional(),
  seed: whole.optional(),
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  presence_penalty: z.number().optional(),
  frequency_penalty: z.number().optional(),
  logit_bias: z.record(z.string().regex(/^\d{1,10}$/, 'expected a token id'), z.number().min(-100).max(100)).optional(),
  user: z.string().optional(),
  // Not in OpenAI's API; named as in vLLM.
  top_k: z
    .int()
    .optional()
    .transform((k) => (k === -1 ? 0 : k)),
  min_p: z.number().optional(),
  repetition_penalty: z.number().optional(),
  ignore_eos: z.boolean().optional(),
  priority: z.int().optional(),
  return_token_ids: z.boolean().optional(),
};

/** A field that would change the answer if it were followed, and is not: better refused than ignored. */
export function refused(message: string, harmless: (value: unknown) => boolean = () => false) {
  return z
    .unknown()
    .refine((value) => value === undefined || harmless(value), message)
    .optional();
}

const emptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

export const refusedFields = {
  tools: refused('tools are not supported by this server', emptyList),
  functions: refused('functions are not supported by this server', emptyList),
  min_tokens: refused('a least number of tokens is not supported by this server', (value) => value === 0),
};

export const streamOptionsNeedStream = {
  check: (request: { stream: boolean; stream_options?: unknown }): boolean =>
    request.stream || request.stream_options === undefined,
  error: { path: ['stream_options'], error: 'only allowed with "stream": true' },
};

/** What the mapping to the engine's options reads, whichever endpoint it is. */
export type GenerationRequest = z.output<z.ZodObject<typeof generationFields>>;
