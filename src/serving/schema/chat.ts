import * as z from 'zod';
import { formFields } from './forms.js';
import { generationFields, streamOptionsNeedStream } from './generation.js';
import { chatMessages } from './message.js';
import { chatFunctionCall, chatFunctions, chatToolChoice, chatTools } from './tools.js';

/** By hand: zod's record looks at each of many keys. */
const variables = z.custom<Readonly<Record<string, unknown>>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'expected an object',
);

/** Body of `POST /v1/chat/completions`. */
export const chatRequest = z
  .object({
    ...generationFields,
    ...formFields,
    messages: chatMessages,
    max_completion_tokens: z.int().min(1).optional(),
    logprobs: z.boolean().default(false),
    top_logprobs: z.int().min(0).max(20).optional(),
    tools: chatTools,
    tool_choice: chatToolChoice,
    parallel_tool_calls: z.boolean().optional(),
    functions: chatFunctions,
    function_call: chatFunctionCall,
    include_reasoning: z.boolean().default(true),
    reasoning_format: z.enum(['auto', 'deepseek', 'none']).optional(),
    chat_template_kwargs: variables.optional(),
    add_generation_prompt: z.boolean().optional(),
    continue_final_message: z.boolean().default(false),
  })
  .refine(streamOptionsNeedStream.check, streamOptionsNeedStream.error)
  .refine(({ logprobs, top_logprobs }) => logprobs || !top_logprobs, {
    path: ['top_logprobs'],
    error: 'only allowed with "logprobs": true',
  })
  .refine(({ functions, tools }) => functions === undefined || tools === undefined, {
    path: ['functions'],
    error: 'an older name of tools; send one of them',
  });

export type ChatRequest = z.output<typeof chatRequest>;
