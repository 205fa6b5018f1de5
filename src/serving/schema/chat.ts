import { z } from 'zod';
import { generationFields, streamOptionsNeedStream } from './generation.js';
import { chatMessages } from './message.js';
import { responseFormat } from './response-format.js';

/**
 * Whether what is offered to the model may be left out of its sight: there is nothing to call, or the client asks for
 * plain text.
 */
const uncalled = (offered: readonly unknown[] | undefined, choice: unknown): boolean =>
  choice === 'none' ||
  (offered === undefined || offered.length === 0 ? choice === undefined || choice === 'auto' : false);

const offer = z.array(z.unknown()).optional();

/** Body of `POST /v1/chat/completions`. */
export const chatRequest = z
  .object({
    ...generationFields,
    messages: chatMessages,
    max_completion_tokens: z.int().min(1).optional(),
    logprobs: z.boolean().default(false),
    top_logprobs: z.int().min(0).max(20).optional(),
    response_format: responseFormat,
    tools: offer,
    tool_choice: z.unknown().optional(),
    functions: offer,
    function_call: z.unknown().optional(),
  })
  .refine(streamOptionsNeedStream.check, streamOptionsNeedStream.error)
  .refine(({ logprobs, top_logprobs }) => logprobs || !top_logprobs, {
    path: ['top_logprobs'],
    error: 'only allowed with "logprobs": true',
  })
  .refine(({ tools, tool_choice }) => uncalled(tools, tool_choice), {
    path: ['tools'],
    error: 'tools are not supported by this server, except with "tool_choice": "none"',
  })
  .refine(({ functions, function_call }) => uncalled(functions, function_call), {
    path: ['functions'],
    error: 'functions are not supported by this server, except with "function_call": "none"',
  });

export type ChatRequest = z.output<typeof chatRequest>;
