import type { ChatMessage, EngineInfo, TextEngine } from '../../engine/api.js';
import { type ApiError, badRequest } from '../errors.js';

/** Up to so many bytes a token of context, a text is tokenized without further question. */
const CHEAP_BYTES_PER_TOKEN = 4;

/** Tokens of the longest sequence: the context, or less where the KV cache is smaller. */
export function longestSequence({ contextLength, kvCacheTokens }: EngineInfo): number {
  // The last token is never fed back, so the cache needs no place for it.
  return Math.min(contextLength, kvCacheTokens + 1);
}

const tooLong = (message: string, param: string): ApiError => badRequest(message, param, 'context_length_exceeded');

/** Turns the prompts of requests into token ids, and refuses those that cannot fit before they cost anything. */
export class PromptReader {
  #longestToken: number | undefined;

  constructor(private readonly engine: TextEngine) {}

  /**
   * @param addSpecialTokens put a BOS before the text where the tokenizer asks for one
   * @throws ApiError (400) for a text that is too long for the context
   */
  text(text: string, param: string, addSpecialTokens = true): number[] {
    this.#assertTokenizable(Buffer.byteLength(text), param);
    return this.engine.tokenize(text, { addSpecialTokens });
  }

  /** @throws ApiError (400) where the model has no chat template, or the chat is too long for the context */
  chat(messages: readonly ChatMessage[]): number[] {
    if (!this.engine.hasChatTemplate) {
      throw badRequest(
        `${this.engine.info.model} has no chat template; use /v1/completions, or start the server with --chat-template`,
        'messages',
        'no_chat_template',
      );
    }
    const bytes = messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
    this.#assertTokenizable(bytes, 'messages');
    return this.engine.chatPrompt(messages);
  }

  /**
   * Checks that a prompt and its completion fit. Nothing is ever cut off silently.
   *
   * @param maxTokens as requested; undefined for as many as fit
   * @throws ApiError (400)
   */
  assertFits(ids: readonly number[], maxTokens: number | undefined, param: string): void {
    const room = longestSequence(this.engine.info) - ids.length;
    if (room < 1) {
      throw tooLong(
        `the prompt has ${ids.length} tokens, and ${this.#limit()} with the completion; shorten the prompt`,
        param,
      );
    }
    if (maxTokens !== undefined && maxTokens > room) {
      throw tooLong(
        `the prompt has ${ids.length} tokens and the completion may have ${maxTokens}, but ${this.#limit()}; shorten the prompt or ask for at most ${room}`,
        param,
      );
    }
  }

  /**
   * Tokenizing takes time that grows faster than the text and stops everybody else meanwhile. No token has more bytes
   * than the longest one in the vocabulary, which tells of a very long text that it cannot fit.
   */
  #assertTokenizable(bytes: number, param: string): void {
    const longest = longestSequence(this.engine.info);
    if (bytes <= longest * CHEAP_BYTES_PER_TOKEN || !this.engine.hasTokenizer) return;
    const least = Math.ceil(bytes / this.#longest());
    if (least < longest) return;
    throw tooLong(
      `the prompt has ${bytes} bytes and so at least ${least} tokens, and ${this.#limit()}; shorten the prompt`,
      param,
    );
  }

  #limit(): string {
    const { contextLength, kvCacheTokens } = this.engine.info;
    if (longestSequence(this.engine.info) === contextLength) return `the context is ${contextLength} tokens`;
    return `the server's KV cache has room for ${kvCacheTokens} tokens`;
  }

  #longest(): number {
    if (this.#longestToken === undefined) {
      let longest = 1;
      for (let id = 0; id < this.engine.config.vocab; id++) {
        longest = Math.max(longest, this.engine.tokenBytes(id).length);
      }
      this.#longestToken = longest;
    }
    return this.#longestToken;
  }
}
