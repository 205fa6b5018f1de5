import type { GenerationChunk } from '../../engine/api.js';
import type { AnswerFormat, EndedChoice } from '../answer.js';
import type { AnswerHead } from './head.js';
import { chatLogprobs, type TokenBytesOf } from './logprobs.js';
import type { Usage } from './usage.js';

/** Answers of `/v1/chat/completions`. */
export class ChatFormat implements AnswerFormat {
  constructor(
    private readonly head: AnswerHead,
    private readonly bytesOf: TokenBytesOf,
    private readonly includeUsage: boolean,
    private readonly tokenIds: boolean,
  ) {}

  opening(index: number): object {
    return this.#event([{ index, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null }]);
  }

  chunk(index: number, chunk: GenerationChunk): object {
    const delta = { content: chunk.text };
    const logprobs = this.#logprobs([chunk]);
    return this.#event([{ index, delta, logprobs, finish_reason: null, ...this.#ids(chunk.ids) }]);
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
      ...(this.tokenIds ? { prompt_token_ids: choices[0].result.promptIds } : {}),
    };
  }

  #event(choices: readonly object[], usage: Usage | null = null): object {
    return { ...this.head, object: 'chat.completion.chunk', choices, ...(this.includeUsage ? { usage } : {}) };
  }

  #logprobs(chunks: readonly GenerationChunk[]): object | null {
    const tokens = chunks.flatMap(({ logprobs }) => logprobs ?? []);
    if (tokens.length === 0) return null;
    return { content: chatLogprobs(tokens, this.bytesOf), refusal: null };
  }

  #ids(ids: readonly number[]): object {
    return this.tokenIds ? { token_ids: ids } : {};
  }
}
