import type { GenerationChunk } from '../../engine/api.js';
import type { AnswerFormat, EndedChoice } from '../answer.js';
import { EventText } from './event-text.js';
import type { AnswerHead } from './head.js';
import {
  completionLogprobs,
  completionTokens,
  promptLogprobs,
  type CompletionLogprobs,
  type CompletionToken,
} from './logprobs.js';
import { TokenTexts, type TokenWords } from './token-texts.js';
import type { Usage } from './usage.js';

type TokenLogprobs = NonNullable<GenerationChunk['logprobs']>;

/** The prompt of a choice, as far as the answer shows it. */
export interface ShownPrompt {
  readonly ids: readonly number[];
  /** Its text, to begin with; undefined where it is not wanted. */
  readonly echo: string | undefined;
  /** Of its tokens but the first, where they are wanted. */
  readonly logprobs?: TokenLogprobs;
  /** The same, told apart from those of the text. */
  readonly scored?: TokenLogprobs;
}

export interface CompletionFormatOptions {
  readonly includeUsage: boolean;
  readonly tokenIds: boolean;
  /** Per choice. */
  readonly prompts: readonly ShownPrompt[];
}

/** What has been shown of a choice that is streamed. */
interface Streamed {
  readonly texts: TokenTexts;
  offset: number;
  begun: boolean;
}

/** Answers of `/v1/completions`. */
export class CompletionFormat implements AnswerFormat {
  readonly #streamed: Streamed[] = [];
  readonly #head: AnswerHead;
  readonly #chunks: EventText;
  readonly #words: TokenWords;
  readonly #options: CompletionFormatOptions;

  constructor(head: AnswerHead, words: TokenWords, options: CompletionFormatOptions) {
    this.#head = head;
    this.#words = words;
    this.#options = options;
    const usage = options.includeUsage ? { usage: null } : {};
    this.#chunks = new EventText({ ...head, object: 'text_completion' }, usage);
  }

  opening(index: number): object | undefined {
    const { echo, logprobs, ids } = this.#options.prompts[index];
    if (echo === undefined) return undefined;
    const streamed = this.#stream(index);
    const tokens = logprobs && [...completionTokens(logprobs, streamed.texts, 0, ids[0])];
    return this.#event([
      { index, text: echo, logprobs: this.#list(streamed, tokens), finish_reason: null, ...this.#promptIds(index) },
    ]);
  }

  chunk(index: number, chunk: GenerationChunk): string {
    if (chunk.logprobs === undefined && !this.#options.tokenIds) {
      return this.#chunks.ofJson(
        `{"index":${index},"text":${JSON.stringify(chunk.text)},"logprobs":null,"finish_reason":null}`,
      );
    }
    const streamed = this.#stream(index);
    const tokens = chunk.logprobs && [...completionTokens(chunk.logprobs, streamed.texts, streamed.offset)];
    const logprobs = this.#list(streamed, tokens);
    const ids = this.#options.tokenIds ? { token_ids: chunk.ids } : {};
    return this.#chunks.of([
      { index, text: chunk.text, logprobs, finish_reason: null, ...ids, ...this.#promptIds(index) },
    ]);
  }

  closing(index: number, finish: 'stop' | 'length'): object {
    return this.#event([{ index, text: '', logprobs: null, finish_reason: finish }]);
  }

  usage(usage: Usage): object {
    return this.#event([], usage);
  }

  whole(choices: readonly EndedChoice[], usage: Usage): object {
    const { tokenIds, prompts } = this.#options;
    return {
      ...this.#head,
      object: 'text_completion',
      choices: choices.map(({ index, chunks, result, finish }) => ({
        index,
        text: (prompts[index].echo ?? '') + result.text,
        logprobs: this.#logprobs(index, chunks),
        finish_reason: finish,
        ...this.#scored(index),
        ...(tokenIds ? { token_ids: result.ids, prompt_token_ids: result.promptIds } : {}),
      })),
      usage,
    };
  }

  #event(choices: readonly object[], usage: Usage | null = null): object {
    const usages = this.#options.includeUsage ? { usage } : {};
    return { ...this.#head, object: 'text_completion', choices, ...usages };
  }

  #stream(index: number): Streamed {
    return (this.#streamed[index] ??= { texts: this.#texts(index), offset: 0, begun: false });
  }

  /** An echoed prompt begins the text itself. */
  #texts(index: number): TokenTexts {
    const { echo, ids, logprobs } = this.#options.prompts[index];
    return new TokenTexts(this.#words, echo !== undefined && logprobs !== undefined ? [] : ids);
  }

  /** Of a choice's first event, as in vLLM. */
  #promptIds(index: number): object {
    const streamed = this.#stream(index);
    if (!this.#options.tokenIds || streamed.begun) return {};
    streamed.begun = true;
    return { prompt_token_ids: this.#options.prompts[index].ids };
  }

  #list(streamed: Streamed, tokens: readonly CompletionToken[] | undefined): object | null {
    const last = tokens?.at(-1);
    if (tokens === undefined || last === undefined) return null;
    streamed.offset = last.end;
    return {
      tokens: tokens.map(({ token }) => token),
      token_logprobs: tokens.map(({ logprob }) => logprob),
      top_logprobs: tokens.map(({ top }) => top),
      text_offset: tokens.map(({ offset }) => offset),
    };
  }

  #scored(index: number): object {
    const { scored, ids } = this.#options.prompts[index];
    if (scored === undefined) return {};
    const texts = new TokenTexts(this.#words, ids.slice(0, 1));
    return { prompt_logprobs: promptLogprobs(scored, texts) };
  }

  #logprobs(index: number, chunks: readonly GenerationChunk[]): CompletionLogprobs | null {
    const { logprobs: ofPrompt, ids } = this.#options.prompts[index];
    const tokens = [...(ofPrompt ?? []), ...chunks.flatMap(({ logprobs }) => logprobs ?? [])];
    if (tokens.length === 0 && ofPrompt === undefined) return null;
    const first = ofPrompt === undefined ? undefined : ids[0];
    return completionLogprobs(() => completionTokens(tokens, this.#texts(index), 0, first));
  }
}
