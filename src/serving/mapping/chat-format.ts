import type { GenerationChunk } from '../../engine/api.js';
import type { AnswerFormat, EndedChoice } from '../answer.js';
import type { AnswerHead } from './head.js';
import { chatLogprobs } from './logprobs.js';
import { TokenTexts, type TokenWords } from './token-texts.js';
import type { Usage } from './usage.js';

/** Answers of `/v1/chat/completions`. */
export class ChatFormat implements AnswerFormat {
  readonly #texts: TokenTexts[] = [];
  #promptIdsAreOut = false;

  /** @param promptIds to be given, where token ids are wanted */
  constructor(
    private readonly head: AnswerHead,
    private readonly words: TokenWords,
    private readonly includeUsage: boolean,
    private readonly promptIds: readonly number[] | undefined,
  ) {}

  opening(index: number): object {
    const event = this.#event([
      { index, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null },
    ]);
    if (this.promptIds === undefined || this.#promptIdsAreOut) return event;
    this.#promptIdsAreOut = true;
    return { ...event, prompt_token_ids: this.promptIds };
  }

  chunk(index: number, chunk: GenerationChunk): object {
    const delta = { content: chunk.text };
    const texts = (this.#texts[index] ??= this.#newTexts());
    const logprobs = chunk.logprobs && { content: [...chatLogprobs(chunk.logprobs, texts)], refusal: null };
    return this.#event([{ index, delta, logprobs: logprobs ?? null, finish_reason: null, ...this.#ids(chunk.ids) }]);
  }

  closing(index: number, finish: 'stop' | 'length'): object {
    return this.#event([{ index, delta: {}, logprobs: null, finish_reason: finish }]);
  }

  usage(usage: Usage): object {
    return this.#event([], usage);
  }

  whole(choices: readonly EndedChoice[], usage: Usage): object {
    return {
      ...this.head,
      object: 'chat.completion',
      choices: choices.map(({ index, chunks, result, finish }) => ({
        index,
        message: { role: 'assistant', content: result.text, refusal: null },
        logprobs: this.#logprobs(chunks),
        finish_reason: finish,
        ...this.#ids(result.ids),
      })),
      usage,
      ...(this.promptIds === undefined ? {} : { prompt_token_ids: this.promptIds }),
    };
  }

  #event(choices: readonly object[], usage: Usage | null = null): object {
    return { ...this.head, object: 'chat.completion.chunk', choices, ...(this.includeUsage ? { usage } : {}) };
  }

  #logprobs(chunks: readonly GenerationChunk[]): object | null {
    const tokens = chunks.flatMap(({ logprobs }) => logprobs ?? []);
    if (tokens.length === 0) return null;
    return { content: chatLogprobs(tokens, this.#newTexts()), refusal: null };
  }

  /** The prompt of a chat has text, so no token begins one. */
  #newTexts(): TokenTexts {
    return new TokenTexts(this.words);
  }

  #ids(ids: readonly number[]): object {
    return this.promptIds === undefined ? {} : { token_ids: ids };
  }
}
