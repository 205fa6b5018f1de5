import * as z from 'zod';
import type { ChatMessage } from '../../engine/api.js';
import { listOf } from './list.js';
import { MOST_MESSAGES, MOST_PARTS } from './message.js';
import { WrittenJson } from './written-json.js';

const texts = z.enum(['input_text', 'output_text', 'text', 'summary_text', 'reasoning_text']);
const part = z.union([
  z.object({ type: texts, text: z.string() }).transform(({ text }) => text),
  z.object({ type: z.literal('refusal'), refusal: z.string() }).transform(({ refusal }) => refusal),
], { error: 'expected a text part; images, audio and files are not supported by this server' }); // prettier-ignore
const parts = listOf(part, MOST_PARTS).transform((list) => list.join('\n'));
const content = z.union([z.string(), parts], { error: 'expected a string or a list of text parts' });

const reasoningParts = listOf(z.object({ text: z.string() }), MOST_PARTS).nullish();
const item = z.union(
  [
    z.object({ type: z.literal('function_call'), call_id: z.string(), name: z.string(), arguments: z.string() }),
    z.object({ type: z.literal('function_call_output'), call_id: z.string(), output: content }),
    z.object({ type: z.literal('reasoning'), content: reasoningParts, summary: reasoningParts }),
    z.object({
      type: z.literal('message').optional(),
      role: z.enum(['user', 'assistant', 'system', 'developer']),
      content,
    }),
  ],
  { error: 'expected a message of text, a function call, its output, or reasoning' },
);
type Item = z.output<typeof item>;

/** `input` of a response: a text, or items. */
export const responseInput = z.unknown().transform((value, context): ChatMessage[] => {
  if (typeof value === 'string') return [{ role: 'user', content: value }];
  const result = listOf(item, MOST_MESSAGES).safeParse(value);
  if (result.success) return conversation(result.data);
  const { path, message } = result.error.issues[0];
  context.issues.push({ code: 'custom', message, path, input: undefined });
  return z.NEVER;
});

/** Items as messages: thoughts and calls belong to what the assistant says beside them. */
function conversation(items: readonly Item[]): ChatMessage[] {
  const messages: ChatMessage[] = [];
  const written = new WrittenJson('input');
  let thought: string | undefined;
  for (const one of items) {
    const last = messages.at(-1);
    if ('role' in one) {
      const role = one.role === 'developer' ? 'system' : one.role;
      const thinks = role === 'assistant' && thought !== undefined;
      messages.push({ role, content: one.content, ...(thinks ? { reasoning_content: thought } : {}) });
      thought = undefined;
    } else if (one.type === 'reasoning') {
      thought = [...(one.content ?? []), ...(one.summary ?? [])].map(({ text }) => text).join('\n') || undefined;
    } else if (one.type === 'function_call_output') {
      messages.push({ role: 'tool', content: one.output, tool_call_id: one.call_id });
    } else {
      const call = {
        id: one.call_id,
        type: 'function',
        function: { name: one.name, arguments: written.read(one.arguments) },
      };
      if (last?.role === 'assistant') {
        messages[messages.length - 1] = { ...last, tool_calls: [...(last.tool_calls ?? []), call] };
      } else {
        const thinks = thought === undefined ? {} : { reasoning_content: thought };
        messages.push({ role: 'assistant', content: '', ...thinks, tool_calls: [call] });
        thought = undefined;
      }
    }
  }
  return messages;
}
