import type { Tool, ToolCall } from './tool.js';
import { CLOSE, OPEN } from './formats/hermes.js';

/** A message as chat templates see it. */
export interface Turn {
  readonly role: string;
  readonly content: string;
  readonly tool_calls?: readonly object[];
  readonly tool_call_id?: string;
  readonly name?: string;
}

/** What a model is told whose template has no words for tools. */
function description(tools: readonly Tool[]): string {
  const lines = tools.map(({ name, description, parameters }) => JSON.stringify({ name, description, parameters }));
  return [
    'You may call functions. Their names, descriptions and the JSON schemas of their arguments, one a line:',
    ...lines,
    `To call one, write ${OPEN}{"name": "NAME", "arguments": {…}}${CLOSE} and nothing after it; for several calls, one such element each.`,
    'What a function gave back comes in <tool_response> elements.',
  ].join('\n');
}

/**
 * A conversation for a template that knows of no tools: they are described at its beginning, calls are written out as
 * the model is told to write them, and what tools gave back is said by the user.
 */
export function described<Message extends Turn>(messages: readonly Message[], tools: readonly Tool[]): Turn[] {
  const turns: Turn[] = [];
  // Several answers are one message, since templates want turns to alternate.
  let answers: string[] = [];
  const answered = (): void => {
    if (answers.length > 0) turns.push({ role: 'user', content: answers.join('\n') });
    answers = [];
  };
  for (const message of messages) {
    if (message.role === 'tool') {
      answers.push(`<tool_response>${message.content}</tool_response>`);
      continue;
    }
    answered();
    if (message.tool_calls !== undefined) {
      const { tool_calls: calls, ...rest } = message;
      const written = (calls as readonly { readonly function: Omit<ToolCall, 'id'> }[]).map(
        ({ function: { name, arguments: given } }) => `${OPEN}${JSON.stringify({ name, arguments: given })}${CLOSE}`,
      );
      turns.push({ ...rest, content: [message.content, ...written].filter((part) => part !== '').join('\n') });
    } else turns.push(message);
  }
  answered();
  if (tools.length === 0) return turns;
  const [first] = turns;
  if (first?.role !== 'system') return [{ role: 'system', content: description(tools) }, ...turns];
  return [{ ...first, content: `${first.content}\n\n${description(tools)}` }, ...turns.slice(1)];
}

const IDS = /[^A-Za-z0-9]/g;

/** Ids of calls as Mistral's templates insist on: nine letters and digits. */
export function withShortIds<Message extends Turn>(messages: readonly Message[]): Message[] {
  const short = (id: string): string => id.replace(IDS, '').slice(-9).padStart(9, '0');
  return messages.map((message) => {
    const { tool_calls: calls, tool_call_id: answered } = message;
    return {
      ...message,
      ...(answered === undefined ? {} : { tool_call_id: short(answered) }),
      ...(calls === undefined
        ? {}
        : {
            tool_calls: (calls as readonly { readonly id?: string }[]).map((call) => ({
              ...call,
              id: short(call.id ?? ''),
            })),
          }),
    };
  });
}
