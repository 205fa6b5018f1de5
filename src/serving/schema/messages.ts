import * as z from 'zod';
import type { ChatMessage } from '../../engine/api.js';
import { generationFields } from './generation.js';
import { listOf } from './list.js';
import { MOST_MESSAGES, MOST_PARTS } from './message.js';
import { distinct, functionFields, MOST_TOOLS, toTool, type ToolChoice } from './tools.js';

const OTHERS = { error: 'expected a text block; images and documents are not supported by this server' };
const textBlock = z.object({ type: z.literal('text'), text: z.string() });
const texts = z.union(
  [z.string(), listOf(textBlock, MOST_PARTS).transform((list) => list.map(({ text }) => text).join('\n'))],
  OTHERS,
);
const block = z.discriminatedUnion(
  'type',
  [
    textBlock,
    z.object({ type: z.literal('thinking'), thinking: z.string() }),
    z.object({ type: z.literal('redacted_thinking') }),
    z.object({ type: z.literal('tool_use'), id: z.string(), name: z.string(), input: z.unknown() }),
    z.object({ type: z.literal('tool_result'), tool_use_id: z.string(), content: texts.nullish() }),
  ],
  OTHERS,
);
type Block = z.output<typeof block>;
const message = z.object({
  role: z.enum(['user', 'assistant']),
  content: z.union(
    [z.string().transform((text): Block[] => [{ type: 'text', text }]), listOf(block, MOST_PARTS)],
    OTHERS,
  ),
});

/** What one message says is one of ours, and one for each answer of a tool before it. */
function ours({ role, content }: z.output<typeof message>): ChatMessage[] {
  const of = <T extends Block['type']>(type: T) =>
    content.filter((one): one is Extract<Block, { readonly type: T }> => one.type === type);
  const said = of('text').map(({ text }) => text).join('\n'); // prettier-ignore
  if (role === 'user') {
    const answers = of('tool_result').map((one): ChatMessage => ({
      role: 'tool',
      content: one.content ?? '',
      tool_call_id: one.tool_use_id,
    }));
    return said === '' && answers.length > 0 ? answers : [...answers, { role, content: said }];
  }
  const thought = of('thinking').map(({ thinking }) => thinking).join('\n'); // prettier-ignore
  const calls = of('tool_use').map(({ id, name, input }) => ({
    id,
    type: 'function',
    function: { name, arguments: input },
  }));
  return [
    {
      role,
      content: said,
      ...(thought === '' ? {} : { reasoning_content: thought }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    },
  ];
}

const tool = z
  .object({
    name: functionFields.name,
    description: functionFields.description,
    input_schema: functionFields.parameters,
    type: z.literal('custom', { error: 'only functions of the client are supported by this server' }).nullish(),
  })
  .transform(({ input_schema: parameters, ...rest }) => toTool({ ...rest, parameters }));

const parallel = { disable_parallel_tool_use: z.boolean().nullish() };
const choice = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('auto'), ...parallel }),
    z.object({ type: z.literal('any'), ...parallel }),
    z.object({ type: z.literal('tool'), name: z.string(), ...parallel }),
    z.object({ type: z.literal('none') }),
  ])
  .transform((given): ToolChoice & { readonly parallel: boolean } => {
    if (given.type === 'none') return { mode: 'none', parallel: true };
    const several = given.disable_parallel_tool_use !== true;
    if (given.type === 'tool') return { mode: 'required', names: [given.name], single: true, parallel: several };
    return { mode: given.type === 'any' ? 'required' : 'auto', parallel: several };
  })
  .optional();

const shared = {
  model: z.string().optional(),
  system: texts.optional(),
  messages: listOf(message, MOST_MESSAGES)
    .refine((list) => list.length > 0, 'expected at least one message')
    .transform((list) => list.flatMap(ours)),
  tools: listOf(tool, MOST_TOOLS).refine(distinct.check, distinct.error).optional(),
  tool_choice: choice,
  thinking: z.object({ type: z.enum(['disabled', 'enabled', 'adaptive']) }).optional(),
};

/** Body of `POST /v1/messages`, Anthropic's API. */
export const messagesRequest = z.object({
  ...generationFields,
  ...shared,
  n: z.literal(1).default(1),
  max_tokens: z.int().min(1),
  stop_sequences: generationFields.stop,
});
export type MessagesRequest = z.output<typeof messagesRequest>;

/** Body of `POST /v1/messages/count_tokens`. */
export const countRequest = z.object(shared);
export type CountRequest = z.output<typeof countRequest>;
