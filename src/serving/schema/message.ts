import * as z from 'zod';
import type { ChatMessage } from '../../engine/api.js';
import { listOf } from './list.js';
import { WrittenJson } from './written-json.js';

/** As many as OpenAI's API takes; a template renders some hundred thousand a second. */
export const MOST_MESSAGES = 2048;
export const MOST_PARTS = 4096;

const part = z.discriminatedUnion(
  'type',
  [
    z.object({ type: z.literal('text'), text: z.string() }).transform(({ text }) => text),
    // What an assistant said instead of an answer is what it said.
    z.object({ type: z.literal('refusal'), refusal: z.string() }).transform(({ refusal }) => refusal),
  ],
  { error: 'expected a text part; images, audio and files are not supported by this server' },
);
const parts = listOf(part, MOST_PARTS).transform((texts) => texts.join('\n'));

/**
 * Text, or parts of it. By hand and not as a union, which would report every part for each form it is not.
 *
 * @param needed whether it may be left out or null, as an assistant's may, who had nothing to say
 */
const contentOf = (needed: boolean) =>
  z.unknown().transform((value, context): string => {
    if (typeof value === 'string') return value;
    if (!needed && (value === undefined || value === null)) return '';
    const result = parts.safeParse(value);
    if (result.success) return result.data;
    const { path, message } = result.error.issues[0];
    const text = path.length === 0 ? 'expected a string or a list of text parts' : message;
    context.issues.push({ code: 'custom', message: text, path, input: undefined });
    return z.NEVER;
  });

const notFollowed = (field: string) =>
  z
    .unknown()
    .refine((value) => value === undefined || value === null || value === false, {
      error: `${field}: continuing a message is not supported by this server`,
    })
    .optional();

const toolCall = z.object({
  id: z.string().nullish(),
  type: z.string().nullish(),
  function: z.object({ name: z.string(), arguments: z.unknown().optional() }),
});

const notTaken = (field: string) =>
  z
    .unknown()
    .refine((value) => value === undefined || value === null || (Array.isArray(value) && value.length === 0), {
      error: `${field} are not supported by this server`,
    })
    .optional();

const named = {
  // Beside the content, where Ollama's clients put them.
  images: notTaken('images'),
  name: z.string().nullish(),
  prefix: notFollowed('prefix'),
  partial: notFollowed('partial'),
};

const message = z.discriminatedUnion(
  'role',
  [
    z.object({ role: z.enum(['system', 'developer', 'user']), content: contentOf(true), ...named }),
    z.object({
      role: z.literal('assistant'),
      content: contentOf(false).optional(),
      refusal: z.string().nullish(),
      reasoning_content: z.string().nullish(),
      reasoning: z.string().nullish(),
      tool_calls: listOf(toolCall, MOST_PARTS).nullish(),
      function_call: z.object({ name: z.string(), arguments: z.unknown().optional() }).nullish(),
      audio: z.null({ error: 'audio is not supported by this server' }).optional(),
      ...named,
    }),
    z.object({
      role: z.enum(['tool', 'function']),
      content: contentOf(false).optional(),
      tool_call_id: z.string().nullish(),
      ...named,
    }),
  ],
  { error: 'expected a role of "system", "developer", "user", "assistant" or "tool"' },
);

/** Templates write the arguments of a call as JSON themselves; clients send them written. */
function read(call: object & { readonly function: { readonly arguments?: unknown } }, written: WrittenJson): object {
  const { arguments: given } = call.function;
  if (typeof given !== 'string') return call;
  return { ...call, function: { ...call.function, arguments: written.read(given) } };
}

/** As a template sees it. Fields that are empty are left out, since templates ask whether they are there. */
function forTemplate(given: z.output<typeof message>, written: WrittenJson): ChatMessage {
  const name = given.name ? { name: given.name } : {};
  const text = given.content ?? '';
  switch (given.role) {
    // Newer clients' word for the same thing; templates know the older one.
    case 'developer':
      return { role: 'system', content: text, ...name };
    case 'assistant': {
      const legacy = given.function_call ? [{ type: 'function', function: given.function_call }] : [];
      const thoughts = given.reasoning_content ?? given.reasoning;
      const calls = [...(given.tool_calls ?? []), ...legacy];
      return {
        role: 'assistant',
        content: text === '' ? (given.refusal ?? '') : text,
        ...name,
        ...(thoughts ? { reasoning_content: thoughts } : {}),
        ...(calls.length > 0 ? { tool_calls: calls.map((call) => read(call, written)) } : {}),
      };
    }
    case 'tool':
    case 'function':
      return {
        role: 'tool',
        content: text,
        ...name,
        ...(given.tool_call_id ? { tool_call_id: given.tool_call_id } : {}),
      };
    default:
      return { role: given.role, content: text, ...name };
  }
}

/** `messages`: a conversation, at least one message long. */
export const chatMessages = listOf(message, MOST_MESSAGES)
  .refine((messages) => messages.length > 0, 'expected at least one message')
  .transform((messages) => {
    const written = new WrittenJson('messages');
    return messages.map((one) => forTemplate(one, written));
  });
