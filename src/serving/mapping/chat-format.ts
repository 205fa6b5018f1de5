import type { GenerationChunk } from '../../engine/api.js';
import type { ReplyReader } from '../../tools/index.js';
import type { AnswerFormat, EndedChoice } from '../answer.js';
import { EventText } from './event-text.js';
import type { AnswerIds } from './answer-ids.js';
import type { AnswerHead } from './head.js';
import { chatLogprobs } from './logprobs.js';
import { ReplyDeltas, wholeMessage, type MessageDelta } from './reply-deltas.js';
import { TokenTexts, type TokenWords } from './token-texts.js';
import type { Usage } from './usage.js';

/** No choice has as many calls of tools. */
const MOST_CALLS = 1 << 16;

export interface ChatFormatOptions {
  /** Of calls of tools. */
  readonly ids: AnswerIds;
  readonly includeUsage: boolean;
  /** To be given, where token ids are wanted. */
  readonly promptIds: readonly number[] | undefined;
  /** Takes replies apart; undefined where they are text. */
  readonly reader: (() => ReplyReader) | undefined;
  /** Whether what the model thought is told. */
  readonly reasons: boolean;
  /** A call is told of by its older name, `function_call`. */
  readonly asFunction?: boolean;
}

type Finish = 'stop' | 'length' | 'tool_calls' | 'function_call';

/** Answers of `/v1/chat/completions`. */
export class ChatFormat implements AnswerFormat {
  readonly #texts: TokenTexts[] = [];
  readonly #replies: ReplyDeltas[] = [];
  #promptIdsAreOut = false;

  readonly #head: AnswerHead;
  readonly #chunks: EventText;
  readonly #words: TokenWords;
  readonly #options: ChatFormatOptions;

  constructor(head: AnswerHead, words: TokenWords, options: ChatFormatOptions) {
    this.#head = head;
    this.#words = words;
    this.#options = options;
    const usage = options.includeUsage ? { usage: null } : {};
    this.#chunks = new EventText({ ...head, object: 'chat.completion.chunk' }, usage);
  }

  opening(index: number): object {
    const event = this.#event([
      { index, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null },
    ]);
    const { promptIds } = this.#options;
    if (promptIds === undefined || this.#promptIdsAreOut) return event;
    this.#promptIdsAreOut = true;
    return { ...event, prompt_token_ids: promptIds };
  }

  chunk(index: number, chunk: GenerationChunk): string {
    const pushed = this.#reply(index)?.push(chunk.text) ?? { content: chunk.text };
    const delta = pushed.tool_calls === undefined ? pushed : this.#delta(pushed);
    if (chunk.logprobs === undefined && this.#options.promptIds === undefined) {
      return this.#chunks.ofJson(`{"index":${index},"delta":${deltaJson(delta)},"logprobs":null,"finish_reason":null}`);
    }
    const texts = (this.#texts[index] ??= this.#newTexts());
    const logprobs = chunk.logprobs && { content: [...chatLogprobs(chunk.logprobs, texts)], refusal: null };
    return this.#chunks.of([
      { index, delta, logprobs: logprobs ?? null, finish_reason: null, ...this.#ids(chunk.ids) },
    ]);
  }

  closing(index: number, finish: 'stop' | 'length'): object {
    const reply = this.#reply(index);
    const delta = this.#delta(reply?.end() ?? {});
    return this.#event([
      { index, delta, logprobs: null, finish_reason: this.#finish(finish, reply?.hasCalls ?? false) },
    ]);
  }

  usage(usage: Usage): object {
    return this.#event([], usage);
  }

  whole(choices: readonly EndedChoice[], usage: Usage): object {
    const { promptIds } = this.#options;
    return {
      ...this.#head,
      object: 'chat.completion',
      choices: choices.map(({ index, chunks, result, finish }) => {
        const { message, calls } = this.#message(index, result.text);
        return {
          index,
          message,
          logprobs: this.#logprobs(chunks),
          finish_reason: this.#finish(finish, calls),
          ...this.#ids(result.ids),
        };
      }),
      usage,
      ...(promptIds === undefined ? {} : { prompt_token_ids: promptIds }),
    };
  }

  #message(choice: number, text: string): { message: object; calls: boolean } {
    const { reader } = this.#options;
    const role = 'assistant';
    if (reader === undefined) return { message: { role, content: text, refusal: null }, calls: false };
    const { content, reasoning, calls } = wholeMessage(this.#deltas(choice, reader()), text);
    const message = {
      role,
      content,
      refusal: null,
      ...(reasoning === undefined ? {} : { reasoning_content: reasoning, reasoning }),
      ...(calls.length === 0
        ? {}
        : this.#options.asFunction
          ? { function_call: calls[0].function }
          : { tool_calls: calls }),
    };
    return { message, calls: calls.length > 0 };
  }

  /** What a piece adds, by the name that calls go by. */
  #delta(delta: MessageDelta): object {
    const { tool_calls: calls, ...rest } = delta;
    if (calls === undefined || !this.#options.asFunction) return delta;
    return { ...rest, function_call: calls[0].function };
  }

  #finish(finish: 'stop' | 'length', hasCalls: boolean): Finish {
    if (finish === 'length' || !hasCalls) return finish;
    return this.#options.asFunction ? 'function_call' : 'tool_calls';
  }

  #reply(index: number): ReplyDeltas | undefined {
    const { reader } = this.#options;
    if (reader === undefined) return undefined;
    return (this.#replies[index] ??= this.#deltas(index, reader()));
  }

  #deltas(choice: number, reader: ReplyReader): ReplyDeltas {
    const { ids, reasons } = this.#options;
    return new ReplyDeltas(reader, reasons, (call) => ids.call(choice * MOST_CALLS + call));
  }

  #event(choices: readonly object[], usage: Usage | null = null): object {
    const { includeUsage } = this.#options;
    return { ...this.#head, object: 'chat.completion.chunk', choices, ...(includeUsage ? { usage } : {}) };
  }

  #logprobs(chunks: readonly GenerationChunk[]): object | null {
    const tokens = chunks.flatMap(({ logprobs }) => logprobs ?? []);
    if (tokens.length === 0) return null;
    return { content: chatLogprobs(tokens, this.#newTexts()), refusal: null };
  }

  /** The prompt of a chat has text, so no token begins one. */
  #newTexts(): TokenTexts {
    return new TokenTexts(this.#words);
  }

  #ids(ids: readonly number[]): object {
    return this.#options.promptIds === undefined ? {} : { token_ids: ids };
  }
}

/** JSON of a delta, with little ado where it is text alone, as most are. */
function deltaJson(delta: MessageDelta): string {
  const { content } = delta;
  if (content === undefined || delta.tool_calls !== undefined || delta.reasoning !== undefined)
    return JSON.stringify(delta);
  return `{"content":${JSON.stringify(content)}}`;
}
