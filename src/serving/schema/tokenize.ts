import * as z from 'zod';
import { chatMessages } from './message.js';

/** Body of `POST /tokenize`: a prompt, or a chat as the template renders it. */
export const tokenizeRequest = z
  .object({
    model: z.string().optional(),
    prompt: z.string().optional(),
    messages: chatMessages.optional(),
    /** Whether a BOS goes before a prompt; a chat's template decides that itself. */
    add_special_tokens: z.boolean().default(true),
    return_token_strs: z.boolean().default(false),
  })
  .refine(({ prompt, messages }) => (prompt === undefined) !== (messages === undefined), {
    path: ['prompt'],
    error: 'expected either a prompt or messages',
  });
