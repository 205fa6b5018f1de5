import * as z from 'zod';
import { generationFields, streamOptionsNeedStream } from './generation.js';
import { areIds } from './list.js';
import { formFields } from './forms.js';

type TokenIds = readonly number[];
type GivenPrompt = string | readonly string[] | TokenIds | readonly TokenIds[];

const someIds = (value: unknown): value is TokenIds => areIds(value) && value.length > 0;

/** By hand and not as a union of arrays, which would report every one of a long prompt's ids for each form it is not. */
function isPrompt(value: unknown): value is GivenPrompt {
  if (typeof value === 'string' || someIds(value)) return true;
  if (!Array.isArray(value) || value.length === 0) return false;
  return value.every((item) => typeof item === 'string') || value.every(someIds);
}

/** As a list of prompts, whichever form it came in. */
function promptList(prompt: GivenPrompt): readonly (string | TokenIds)[] {
  if (typeof prompt === 'string') return [prompt];
  return typeof prompt[0] === 'number' ? [prompt as TokenIds] : (prompt as readonly (string | TokenIds)[]);
}

/** The API's default; a chat goes on to its end instead. */
const DEFAULT_TOKENS = 16;

/** Body of `POST /v1/completions`. */
export const completionRequest = z
  .object({
    ...generationFields,
    // None at all is for who wants the prompt's own scores.
    max_tokens: z.int().min(0).optional(),
    prompt: z
      .custom<GivenPrompt>(isPrompt, 'expected text, a list of texts, a list of token ids, or a list of such lists')
      .transform(promptList),
    add_special_tokens: z.boolean().default(true),
    echo: z.boolean().default(false),
    logprobs: z.int().min(0).max(20).optional(),
    prompt_logprobs: z
      .int()
      .min(-1)
      .max(20)
      .transform((count) => (count === -1 ? undefined : count))
      .optional(),
    ...formFields,
    best_of: z.int().min(1).optional(),
  })
  .refine(streamOptionsNeedStream.check, streamOptionsNeedStream.error)
  .refine(({ prompt_logprobs, stream }) => prompt_logprobs === undefined || !stream, {
    path: ['prompt_logprobs'],
    error: 'not there in a stream',
  })
  .refine(({ best_of, n }) => best_of === undefined || best_of === n, {
    path: ['best_of'],
    error: 'choosing the best of several is not supported by this server; leave it out or set it to n',
  })
  .transform((body) => ({ ...body, max_tokens: body.max_tokens ?? body.n_predict ?? DEFAULT_TOKENS }));

export type CompletionRequest = z.output<typeof completionRequest>;
