import type { ChatMessage, GenerationChunk } from '../../engine/api.js';
import type { ReplyReader } from '../../tools/index.js';
import type { AnswerFormat, EndedChoice, Events } from '../answer.js';
import type { ApiError } from '../errors.js';
import { NamedEvent } from '../http/named-event.js';
import { parsedArguments } from '../schema/written-json.js';
import { ReplyBlocks, type Block, type BlockEvent } from './reply-blocks.js';
import type { AnswerIds } from './answer-ids.js';
import type { Usage } from './usage.js';

/** What ids of items begin with. */
const PREFIXES = { text: 'msg', reasoning: 'rs', call: 'fc' } as const;
/** What events of a block's text are called. */
const NAMES = {
  text: 'response.output_text',
  reasoning: 'response.reasoning_text',
  call: 'response.function_call_arguments',
} as const;

/** Answers of `/v1/responses`. */
export class ResponseFormat implements AnswerFormat {
  readonly named = true;
  readonly #head: { readonly id: string };
  readonly #done: (response: object, said: ChatMessage) => void;
  readonly #blocks: ReplyBlocks;
  readonly #ids: AnswerIds;
  /** What events of a block's text share. */
  readonly #deltas: { readonly type: string; readonly middle: string }[] = [];
  #sequence = 0;
  #finish: 'stop' | 'length' = 'stop';

  /**
   * @param about all of the response that the request alone decides, and ids for its items
   * @param reader takes the reply apart
   * @param done called with the response and what the assistant said, once that is all there
   */
  constructor(
    { head, ids }: { readonly head: { readonly id: string }; readonly ids: AnswerIds },
    reader: ReplyReader,
    done: (response: object, said: ChatMessage) => void,
  ) {
    this.#head = head;
    this.#ids = ids;
    this.#done = done;
    this.#blocks = new ReplyBlocks(reader);
  }

  opening(): object[] {
    const response = this.#response('in_progress', null);
    return [this.#event('response.created', { response }), this.#event('response.in_progress', { response })];
  }

  chunk(_index: number, { text }: GenerationChunk): Events {
    const events = this.#blocks.push(text);
    if (events.length === 1 && events[0].at === 'more') return this.#delta(events[0].block, events[0].text);
    return events.flatMap((event) => this.#told(event));
  }

  closing(_index: number, finish: 'stop' | 'length'): object[] {
    this.#finish = finish;
    return this.#blocks.end().flatMap((event) => this.#told(event));
  }

  usage(usage: Usage): object {
    const response = this.#ended(usage);
    return this.#event(this.#finish === 'length' ? 'response.incomplete' : 'response.completed', { response });
  }

  whole([{ result, finish }]: readonly EndedChoice[], usage: Usage): object {
    this.#blocks.push(result.text);
    this.#blocks.end();
    this.#finish = finish;
    return this.#ended(usage);
  }

  failure({ message, code, param }: ApiError): object {
    return this.#event('error', { message, code, param });
  }

  #ended(usage: Usage): object {
    const response = this.#response(this.#finish === 'length' ? 'incomplete' : 'completed', usage);
    this.#done(response, this.#said());
    return response;
  }

  #response(status: 'in_progress' | 'completed' | 'incomplete', usage: Usage | null): object {
    const reason = status === 'incomplete' ? { reason: 'max_output_tokens' } : null;
    return {
      ...this.#head,
      status,
      incomplete_details: reason,
      output: status === 'in_progress' ? [] : this.#blocks.blocks.map((block) => this.#item(block, 'completed')),
      usage: usage && {
        input_tokens: usage.prompt_tokens,
        input_tokens_details: { cached_tokens: usage.prompt_tokens_details.cached_tokens },
        output_tokens: usage.completion_tokens,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: usage.total_tokens,
      },
    };
  }

  #id({ index, kind }: Block): string {
    return `${PREFIXES[kind]}_${this.#ids.part(index)}`;
  }

  #item(block: Block, status: 'in_progress' | 'completed'): object {
    const id = this.#id(block);
    const begun = status === 'in_progress';
    switch (block.kind) {
      case 'text':
        return { id, type: 'message', status, role: 'assistant', content: begun ? [] : [outputText(block.text)] };
      case 'reasoning':
        return { id, type: 'reasoning', summary: [], content: begun ? [] : [reasoningText(block.text)], status };
      case 'call': {
        const given = begun ? '' : block.text;
        return {
          id,
          type: 'function_call',
          status,
          call_id: this.#ids.call(block.index),
          name: block.name,
          arguments: given,
        };
      }
    }
  }

  /** A block's events, as OpenAI's API has them. */
  #told(event: BlockEvent): object[] {
    const { block } = event;
    const { kind, index } = block;
    // Of each token.
    if (event.at === 'more') return [this.#delta(block, event.text)];
    const place = { output_index: index };
    const inPart = { item_id: this.#id(block), ...place, content_index: 0 };
    const where = this.#where(block);
    const item = this.#item(block, event.at === 'end' ? 'completed' : 'in_progress');
    const part = (text: string): object => (kind === 'text' ? outputText(text) : reasoningText(text));
    const inOrder = (...parts: (object | undefined)[]): object[] => parts.filter((each) => each !== undefined);
    if (event.at === 'begin') {
      return inOrder(
        this.#event('response.output_item.added', { ...place, item }),
        kind === 'call' ? undefined : this.#event('response.content_part.added', { ...inPart, part: part('') }),
      );
    }
    const { name, text } = block;
    return inOrder(
      this.#event(`${NAMES[kind]}.done`, { ...where, ...(kind === 'call' ? { name, arguments: text } : { text }) }),
      kind === 'call' ? undefined : this.#event('response.content_part.done', { ...inPart, part: part(text) }),
      this.#event('response.output_item.done', { ...place, item }),
    );
  }

  /** Where events of a block's text belong. */
  #where(block: Block): object {
    const inItem = { item_id: this.#id(block), output_index: block.index };
    if (block.kind === 'call') return inItem;
    return { ...inItem, content_index: 0, ...(block.kind === 'text' ? { logprobs: [] } : {}) };
  }

  #delta(block: Block, text: string): NamedEvent {
    const { type, middle } = (this.#deltas[block.index] ??= {
      type: `${NAMES[block.kind]}.delta`,
      middle: JSON.stringify(this.#where(block)).slice(1, -1),
    });
    const number = this.#sequence++;
    return new NamedEvent(
      type,
      `{"type":"${type}","sequence_number":${number},${middle},"delta":${JSON.stringify(text)}}`,
    );
  }

  #event(type: string, fields: object): object {
    return { type, sequence_number: this.#sequence++, ...fields };
  }

  /** The reply as a message, to be gone on from. */
  #said(): ChatMessage {
    const { blocks } = this.#blocks;
    const texts = (kind: Block['kind']): string =>
      blocks
        .filter((block) => block.kind === kind)
        .map(({ text }) => text)
        .join('');
    const calls = blocks.filter(({ kind }) => kind === 'call');
    const thought = texts('reasoning');
    return {
      role: 'assistant',
      content: texts('text'),
      ...(thought === '' ? {} : { reasoning_content: thought }),
      ...(calls.length === 0
        ? {}
        : {
            tool_calls: calls.map(({ index, name, text }) => ({
              id: this.#ids.call(index),
              type: 'function',
              function: { name, arguments: parsedArguments(text) },
            })),
          }),
    };
  }
}

const outputText = (text: string): object => ({ type: 'output_text', text, annotations: [], logprobs: [] });
const reasoningText = (text: string): object => ({ type: 'reasoning_text', text });
