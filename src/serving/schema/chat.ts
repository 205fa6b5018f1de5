import { z } from 'zod';
import { generationFields, refused, refusedFields, streamOptionsNeedStream } from './generation.js';
import { responseFormat } from './response-format.js';

const content = z
  .union([z.string(), z.array(z.object({ type: z.literal('text'), text: z.string() }))], {
    error: 'expected a string or a list of text parts',
  })
  .transform((parts) => (typeof parts === 'string' ? parts : parts.map(({ text }) => text).join('\n')));

export const chatMessage = z.object({
  role: z
    .enum(['system', 'developer', 'user', 'assistant'])
    // Newer clients' word for the same thing; templates know the older one.
    .transform((role) => (role === 'developer' ? 'system' : role)),
  content,
  name: z.string().nullish(),
});

export const chatMessages = z.array(chatMessage).min(1, 'expected at least one message');

/** Body of `POST /v1/chat/completions`. */
export const chatRequest = z
  .object({
    ...generationFields,
    ...refusedFields,
    messages: chatMessages,
    max_completion_tokens: z.int().min(1).optional(),
    logprobs: z.boolean().default(false),
    top_logprobs: z.int().min(0).max(20).optional(),
    response_format: responseFormat,
    audio: refused('audio is not supported by this server'),
    modalities: refused(
      'only text is supported by this server',
      (value) => Array.isArray(value) && value.every((modality) => modality === 'text'),
    ),
  })
  .refine(streamOptionsNeedStream.check, streamOptionsNeedStream.error)
  .refine(({ logprobs, top_logprobs }) => logprobs || top_logprobs === undefined, {
    path: ['top_logprobs'],
    error: 'only allowed with "logprobs": true',
  });

export type ChatRequest = z.output<typeof chatRequest>;
