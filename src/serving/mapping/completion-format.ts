import type { GenerationChunk } from '../../engine/api.js';
import type { AnswerFormat, EndedChoice } from '../answer.js';
import type { AnswerHead } from './head.js';
import { completionLogprobs, type CompletionLogprobs, type TokenBytesOf } from './logprobs.js';
import type { Usage } from './usage.js';

/** Answers of `/v1/completions`. */
export class CompletionFormat implements AnswerFormat {
  /** Characters of each choice's text that log-probabilities have been given for. */
  readonly #offsets: number[] = [];

  /** @param echoes per choice, the prompt's text to begin with; undefined where it is not wanted */
  constructor(
    private readonly head: AnswerHead,
    private readonly bytesOf: TokenBytesOf,
    private readonly includeUsage: boolean,
    private readonly tokenIds: boolean,
    private readonly echoes: readonly (string | undefined)[],
  ) {}

  opening(index: number): object | undefined {
    const text = this.echoes[index];
    return text === undefined ? undefined : this.#event([{ index, text, logprobs: null, finish_reason: null }]);
  }

  chunk(index: number, chunk: GenerationChunk): object {
    const logprobs = this.#logprobs(index, [chunk]);
    return this.#event([{ index, text: chunk.text, logprobs, finish_reason: null, ...this.#ids(chunk.ids) }]);
  }

  closing(index: number, finish: 'stop' | 'length'): object {
    return this.#event([{ index, text: '', logprobs: null, finish_reason: finish }]);
  }

  usage(usage: Usage): object {
    return this.#event([], usage);
  }

  whole(choices: readonly EndedChoice[], usage: Usage): object {
    return {
      ...this.head,
      object: 'text_completion',
      choices: choices.map(({ index, chunks, result, finish }) => ({
        index,
        text: (this.echoes[index] ?? '') + result.text,
        logprobs: this.#logprobs(index, chunks),
        finish_reason: finish,
        ...this.#ids(result.ids),
        ...(this.tokenIds ? { prompt_token_ids: result.promptIds } : {}),
      })),
      usage,
    };
  }

  #event(choices: readonly object[], usage: Usage | null = null): object {
    return { ...this.head, object: 'text_completion', choices, ...(this.includeUsage ? { usage } : {}) };
  }

  #logprobs(index: number, chunks: readonly GenerationChunk[]): CompletionLogprobs | null {
    const tokens = chunks.flatMap(({ logprobs }) => logprobs ?? []);
    if (tokens.length === 0) return null;
    const found = completionLogprobs(tokens, this.bytesOf, this.#offsets[index] ?? 0);
    this.#offsets[index] = found.text_offset.at(-1)! + found.tokens.at(-1)!.length;
    return found;
  }

  #ids(ids: readonly number[]): object {
    return this.tokenIds ? { token_ids: ids } : {};
  }
}
