import * as z from 'zod';
import { areIds, listOf } from './list.js';
import { responseFormat } from './response-format.js';
import { WrittenJson } from './written-json.js';

/** Fields by which the text must have a form; how they go together is `mapping/form.ts`'s. */
const schema = z.custom<boolean | Readonly<Record<string, unknown>>>(
  (value) => typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value)),
  'expected a JSON schema',
);
/** Some clients write the schema as text. @param param the field it stands in */
const writtenSchema = (param: string) =>
  z.unknown().transform((value, context): z.output<typeof schema> | undefined => {
    const given = typeof value === 'string' ? new WrittenJson(param).read(value) : value;
    const result = schema.safeParse(given);
    if (result.success) return result.data;
    if (value === undefined) return undefined;
    context.issues.push({ code: 'custom', message: 'expected a JSON schema', input: undefined });
    return z.NEVER;
  });
const MOST_CHOICES = 4096;
const choices = listOf(z.string(), MOST_CHOICES).refine((list) => list.length > 0, 'expected at least one choice');

/** `structured_outputs` of vLLM, and `guided_*`, its older names. */
export const formFields = {
  response_format: responseFormat,
  structured_outputs: z
    .strictObject({
      json: writtenSchema('structured_outputs').optional(),
      regex: z.string().nullish(),
      choice: choices.nullish(),
      grammar: z.string().nullish(),
      json_object: z.boolean().nullish(),
      // These concern how, and not what.
      disable_fallback: z.boolean().nullish(),
    })
    .optional(),
  guided_json: writtenSchema('guided_json').optional(),
  guided_regex: z.string().optional(),
  guided_choice: choices.optional(),
  guided_grammar: z.string().optional(),
  /** llama-server's. */
  grammar: z
    .string()
    .transform((text) => (text === '' ? undefined : text))
    .optional(),
  json_schema: writtenSchema('json_schema').optional(),
};

const MOST_WORDS = 1024;
/** Of all words together: each is tokenized twice, and kept for as long as its answer takes. */
const MOST_WORD_CHARACTERS = 32_768;

/** Tokens that may be chosen, in vLLM's words. */
export const tokenRuleFields = {
  allowed_token_ids: z
    .custom<readonly number[]>(areIds, 'expected a list of token ids')
    .refine((ids) => ids.length > 0, 'expected at least one token id')
    .optional(),
  bad_words: listOf(z.string().min(1), MOST_WORDS)
    .refine(
      (words) => words.reduce((sum, { length }) => sum + length, 0) <= MOST_WORD_CHARACTERS,
      `expected at most ${MOST_WORD_CHARACTERS} characters in all`,
    )
    .optional(),
};

export type FormFields = z.output<z.ZodObject<typeof formFields>>;
