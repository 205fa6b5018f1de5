import * as z from 'zod';
import { areIds } from './list.js';

type TokenIds = readonly number[];
export type EmbeddingInput = string | readonly string[] | TokenIds | readonly TokenIds[];

/** Most inputs of a request, as in OpenAI's API; the engine takes no more. */
const MOST_INPUTS = 2048;

const someIds = (value: unknown): value is TokenIds => areIds(value) && value.length > 0;
const someText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** By hand, as prompts of completions are, so that a long list is looked at once. */
function isInput(value: unknown): value is EmbeddingInput {
  if (someText(value)) return true;
  if (!Array.isArray(value) || value.length === 0) return false;
  if (typeof value[0] === 'number') return someIds(value);
  return value.every(someText) || value.every(someIds);
}

/** Ids are one input, however many they are. */
const isShort = (input: EmbeddingInput): boolean =>
  typeof input === 'string' || typeof input[0] === 'number' || input.length <= MOST_INPUTS;

/** Body of `POST /v1/embeddings`. */
export const embeddingsRequest = z.object({
  model: z.string().optional(),
  input: z
    .custom<EmbeddingInput>(
      isInput,
      'expected text, a list of texts, a list of token ids, or a list of such lists, none of them empty',
    )
    .refine(isShort, `expected at most ${MOST_INPUTS} inputs`),
  encoding_format: z.enum(['float', 'base64']).default('float'),
  dimensions: z.int().min(1).optional(),
  priority: z.int().optional(),
  // vLLM's
  normalize: z.boolean().optional(),
  add_special_tokens: z.boolean().default(true),
});
