import type { ReplyEvent, ReplyReader } from '../../tools/index.js';

/** What a piece of a reply adds to a message, in OpenAI's words. */
export interface MessageDelta {
  readonly content?: string;
  /** By both of its names. */
  readonly reasoning_content?: string;
  readonly reasoning?: string;
  readonly tool_calls?: readonly ToolCallDelta[];
}

export interface ToolCallDelta {
  readonly index: number;
  readonly id?: string;
  readonly type?: 'function';
  readonly function: { readonly name?: string; readonly arguments: string };
}

/** A call that is all there. */
export interface WholeCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

/** A message put together of its pieces. */
export interface WholeMessage {
  readonly content: string | null;
  readonly reasoning: string | undefined;
  readonly calls: readonly WholeCall[];
}

/** Turns the text of one reply into what it adds to a message, piece by piece. */
export class ReplyDeltas {
  #calls = 0;

  readonly #reader: ReplyReader;
  readonly #reasons: boolean;
  readonly #callId: (call: number) => string;

  /**
   * @param reasons whether the reader hears of what the model thought
   * @param callId names a call by its place
   */
  constructor(reader: ReplyReader, reasons: boolean, callId: (call: number) => string) {
    this.#reader = reader;
    this.#reasons = reasons;
    this.#callId = callId;
  }

  /** Whether a call has begun. */
  get hasCalls(): boolean {
    return this.#calls > 0;
  }

  push(text: string): MessageDelta {
    return this.#delta(this.#reader.push(text));
  }

  end(): MessageDelta {
    return this.#delta(this.#reader.end());
  }

  #delta(events: readonly ReplyEvent[]): MessageDelta {
    // Of most tokens.
    if (events.length === 0) return {};
    const [first] = events;
    if (events.length === 1 && first.kind === 'text') return first.text === '' ? {} : { content: first.text };
    let content = '';
    let reasoning = '';
    const calls: ToolCallDelta[] = [];
    for (const event of events) {
      if (event.kind === 'text') content += event.text;
      else if (event.kind === 'reasoning') reasoning += event.text;
      else if (event.kind === 'call') {
        const index = this.#calls++;
        calls.push({ index, id: this.#callId(index), type: 'function', function: { name: event.name, arguments: '' } });
      } else {
        const last = calls.at(-1);
        const index = this.#calls - 1;
        if (last?.index !== index) calls.push({ index, function: { arguments: event.text } });
        else {
          calls[calls.length - 1] = {
            ...last,
            function: { ...last.function, arguments: last.function.arguments + event.text },
          };
        }
      }
    }
    return {
      ...(content === '' ? {} : { content }),
      ...(reasoning === '' || !this.#reasons ? {} : { reasoning_content: reasoning, reasoning }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    };
  }
}

/** A whole reply at once. */
export function wholeMessage(deltas: ReplyDeltas, text: string): WholeMessage {
  let content = '';
  let reasoning: string | undefined;
  const calls: WholeCall[] = [];
  for (const delta of [deltas.push(text), deltas.end()]) {
    content += delta.content ?? '';
    if (delta.reasoning !== undefined) reasoning = (reasoning ?? '') + delta.reasoning;
    for (const { index, id = '', function: part } of delta.tool_calls ?? []) {
      const before = calls[index] as WholeCall | undefined;
      const name = before?.function.name ?? part.name ?? '';
      const given = (before?.function.arguments ?? '') + part.arguments;
      calls[index] = { id: before?.id ?? id, type: 'function', function: { name, arguments: given } };
    }
  }
  return { content: content.trim() === '' && calls.length > 0 ? null : content, reasoning, calls };
}
