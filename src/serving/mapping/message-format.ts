import type { GenerationChunk, GenerationResult } from '../../engine/api.js';
import type { ReplyReader } from '../../tools/index.js';
import type { AnswerFormat, EndedChoice, Events } from '../answer.js';
import type { ApiError } from '../errors.js';
import { NamedEvent } from '../http/named-event.js';
import { parsedArguments } from '../schema/written-json.js';
import { ReplyBlocks, type Block, type BlockEvent } from './reply-blocks.js';
import type { AnswerIds } from './answer-ids.js';
import type { Usage } from './usage.js';

/** What the events of each token begin with, as JSON, so that little is written for each. */
const DELTAS = {
  text: '"type":"text_delta","text"',
  reasoning: '"type":"thinking_delta","thinking"',
  call: '"type":"input_json_delta","partial_json"',
} as const;

export interface MessageFormatOptions {
  readonly ids: AnswerIds;
  readonly model: string;
  /** Tokens of the prompt, told at the beginning of a stream. */
  readonly promptTokens: number;
  /** To say which of them ended the text, where there is one. */
  readonly stops: readonly string[];
}

/** An error in the words of Anthropic's API. */
export function messagesError({ status, message }: ApiError): object {
  const type =
    {
      400: 'invalid_request_error',
      401: 'authentication_error',
      403: 'permission_error',
      404: 'not_found_error',
      413: 'request_too_large',
      429: 'rate_limit_error',
      503: 'overloaded_error',
    }[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
  return { type: 'error', error: { type, message } };
}

/** Answers of `/v1/messages`. */
export class MessageFormat implements AnswerFormat {
  readonly named = true;
  readonly #options: MessageFormatOptions;
  readonly #blocks: ReplyBlocks;
  #end: { stop_reason: string | null; stop_sequence: string | null } = { stop_reason: null, stop_sequence: null };

  constructor(options: MessageFormatOptions, reader: ReplyReader) {
    this.#options = options;
    this.#blocks = new ReplyBlocks(reader);
  }

  opening(): object {
    const usage = { input_tokens: this.#options.promptTokens, output_tokens: 0 };
    return { type: 'message_start', message: { ...this.#message([]), usage } };
  }

  chunk(_index: number, { text }: GenerationChunk): Events {
    const events = this.#blocks.push(text);
    return events.length === 1 ? this.#told(events[0]) : events.map((event) => this.#told(event));
  }

  closing(_index: number, finish: 'stop' | 'length', result: GenerationResult): object[] {
    const events = this.#blocks.end().map((event) => this.#told(event));
    this.#end = this.#reason(finish, result);
    return events;
  }

  usage(usage: Usage): object[] {
    return [{ type: 'message_delta', delta: this.#end, usage: usageIn(usage) }, { type: 'message_stop' }];
  }

  whole([{ result, finish }]: readonly EndedChoice[], usage: Usage): object {
    this.#blocks.push(result.text);
    this.#blocks.end();
    this.#end = this.#reason(finish, result);
    return { ...this.#message(this.#blocks.blocks.map((block) => this.#block(block))), usage: usageIn(usage) };
  }

  failure(error: ApiError): object {
    return messagesError(error);
  }

  #message(content: readonly object[]): object {
    const { ids, model } = this.#options;
    return { id: `msg_${ids.hex}`, type: 'message', role: 'assistant', model, content, ...this.#end };
  }

  #reason(finish: 'stop' | 'length', { finishReason }: GenerationResult) {
    const { stops } = this.#options;
    const stopped = finishReason === 'stop';
    if (finish === 'length') return { stop_reason: 'max_tokens', stop_sequence: null };
    if (this.#blocks.hasCalls) return { stop_reason: 'tool_use', stop_sequence: null };
    return {
      stop_reason: stopped && stops.length > 0 ? 'stop_sequence' : 'end_turn',
      stop_sequence: stopped && stops.length === 1 ? stops[0] : null,
    };
  }

  #block({ kind, index, name, text }: Block): object {
    if (kind === 'text') return { type: 'text', text };
    if (kind === 'reasoning') return { type: 'thinking', thinking: text, signature: '' };
    const id = `toolu_${this.#options.ids.part(index).slice(0, 24)}`;
    return { type: 'tool_use', id, name, input: text === '' ? {} : parsedArguments(text) };
  }

  #told(event: BlockEvent): object {
    const { block } = event;
    const { index, kind } = block;
    switch (event.at) {
      case 'begin':
        return { type: 'content_block_start', index, content_block: this.#block({ ...block, text: '' }) };
      case 'end':
        return { type: 'content_block_stop', index };
      case 'more': {
        const type = 'content_block_delta';
        const delta = `${DELTAS[kind]}:${JSON.stringify(event.text)}`;
        return new NamedEvent(type, `{"type":"${type}","index":${index},"delta":{${delta}}}`);
      }
    }
  }
}

const usageIn = ({ prompt_tokens, completion_tokens, prompt_tokens_details: { cached_tokens: cached } }: Usage) => ({
  input_tokens: prompt_tokens - cached,
  cache_read_input_tokens: cached,
  cache_creation_input_tokens: 0,
  output_tokens: completion_tokens,
});
