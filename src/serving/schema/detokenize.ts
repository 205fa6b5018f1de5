import * as z from 'zod';
import { areIds } from './list.js';

/** Decoding more than this at a time would stop everybody else. */
const MOST_TOKENS = 65_536;

/** Body of `POST /detokenize`. */
export const detokenizeRequest = z.object({
  model: z.string().optional(),
  tokens: z
    .custom<readonly number[]>(areIds, 'expected a list of token ids')
    .refine((tokens) => tokens.length <= MOST_TOKENS, `expected at most ${MOST_TOKENS} token ids`),
});
