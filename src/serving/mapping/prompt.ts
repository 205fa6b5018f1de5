import type { ChatMessage, ChatWishes, EngineInfo, TextEngine } from '../../engine/api.js';
import { utf8Length } from '../bytes.js';
import { type ApiError, badRequest } from '../errors.js';
import { othersTurn } from '../http/turns.js';

/** Up to so many bytes a token of context, a text is tokenized without further question. */
const CHEAP_BYTES_PER_TOKEN = 4;

/** So many messages are checked and handed on in one turn. */
const FEW_MESSAGES = 64;

/** Tokens of the longest sequence: the context, or less where the KV cache is smaller. */
export function longestSequence({ contextLength, kvCacheTokens }: EngineInfo): number {
  // The last token is never fed back, so the cache needs no place for it.
  return Math.min(contextLength, kvCacheTokens + 1);
}

const tooLong = (message: string, param: string): ApiError => badRequest(message, param, 'context_length_exceeded');

/** A conversation as the model sees it. */
export interface ChatPrompt {
  readonly text: string;
  readonly ids: readonly number[];
}

/** How a conversation is to be rendered, and until when. */
export interface ChatAsked extends ChatWishes {
  /** The last message is left open, to be gone on with. */
  readonly continued?: boolean;
  readonly signal?: AbortSignal;
}

/** Turns the prompts of requests into token ids, and refuses those that cannot fit before they cost anything. */
export class PromptReader {
  #longestToken: number | undefined;

  readonly #engine: TextEngine;

  constructor(engine: TextEngine) {
    this.#engine = engine;
  }

  /**
   * @param addSpecialTokens put a BOS before the text where the tokenizer asks for one
   * @throws ApiError (400) for a text that is too long for the context
   */
  async text(text: string, param: string, addSpecialTokens = true): Promise<number[]> {
    this.assertShort(text, param);
    return this.#encode(text, addSpecialTokens);
  }

  /** @throws ApiError (400) for a text of so many bytes that it cannot fit the context */
  assertShort(text: string, param: string): void {
    this.#assertTokenizable(utf8Length(text), param);
  }

  /**
   * @param signal has a chat given up that has not been rendered yet
   * @throws ApiError (400) where the model has no chat template, or the chat is too long for the context
   */
  async chat(messages: readonly ChatMessage[], { continued, signal, ...wishes }: ChatAsked = {}): Promise<ChatPrompt> {
    if (!this.#engine.hasChatTemplate) {
      throw badRequest(
        `${this.#engine.info.model} has no chat template; use /v1/completions, or start the server with --chat-template`,
        'messages',
        'no_chat_template',
      );
    }
    const bytes = messages.reduce((sum, { content }) => sum + utf8Length(content), 0);
    this.#assertTokenizable(bytes, 'messages');
    // Many have taken their time to be checked.
    if (messages.length > FEW_MESSAGES) await othersTurn();
    // What a template puts around them counts too.
    const rendered = await this.#engine.chatTextAside(messages, wishes, signal);
    this.#assertTokenizable(utf8Length(rendered), 'messages');
    const text = continued ? leftOpen(rendered, messages) : rendered;
    return { text, ids: await this.#encode(text, false) };
  }

  /**
   * Checks that a prompt and its completion fit. Nothing is ever cut off silently.
   *
   * @param maxTokens as requested; undefined for as many as fit
   * @throws ApiError (400)
   */
  assertFits(ids: readonly number[], maxTokens: number | undefined, param: string): void {
    this.assertKnown(ids, param);
    const room = longestSequence(this.#engine.info) - ids.length;
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
   * The last tokens of a prompt, as many as `truncate_prompt_tokens` says: -1 for as many as fit, undefined for all.
   *
   * @param maxTokens as requested, for which room is left then
   */
  cut(ids: readonly number[], most: number | undefined, maxTokens = 1): readonly number[] {
    if (most === undefined) return ids;
    const kept = most === -1 ? Math.max(1, longestSequence(this.#engine.info) - maxTokens) : most;
    return ids.length > kept ? ids.slice(ids.length - kept) : ids;
  }

  /** @throws ApiError (400) for an id that is not in the vocabulary */
  assertKnown(ids: readonly number[], param: string): void {
    const { vocab } = this.#engine.config;
    const unknown = ids.find((id) => id >= vocab);
    if (unknown === undefined) return;
    throw badRequest(`token id ${unknown} is not in the vocabulary, whose ids are 0 to ${vocab - 1}`, param);
  }

  #encode(text: string, addSpecialTokens: boolean): Promise<number[]> {
    return this.#engine.tokenizeInSlices(text, { addSpecialTokens });
  }

  /**
   * Tokenizing takes time that grows with the text. No token has more bytes than the longest one in the vocabulary,
   * which tells of a very long text that it cannot fit.
   */
  #assertTokenizable(bytes: number, param: string): void {
    const longest = longestSequence(this.#engine.info);
    if (bytes <= longest * CHEAP_BYTES_PER_TOKEN || !this.#engine.hasTokenizer) return;
    const least = Math.ceil(bytes / this.#longest());
    if (least < longest) return;
    throw tooLong(
      `the prompt has ${bytes} bytes and so at least ${least} tokens, and ${this.#limit()}; shorten the prompt`,
      param,
    );
  }

  #limit(): string {
    const { contextLength, kvCacheTokens } = this.#engine.info;
    if (longestSequence(this.#engine.info) === contextLength) return `the context is ${contextLength} tokens`;
    return `the server's KV cache has room for ${kvCacheTokens} tokens`;
  }

  #longest(): number {
    if (this.#longestToken === undefined) {
      let longest = 1;
      for (let id = 0; id < this.#engine.config.vocab; id++) {
        longest = Math.max(longest, this.#engine.tokenBytes(id).length);
      }
      this.#longestToken = longest;
    }
    return this.#longestToken;
  }
}

/** A rendered chat up to the end of what its last message says. @throws ApiError (400) where that is not to be seen */
function leftOpen(rendered: string, messages: readonly ChatMessage[]): string {
  const said = messages.at(-1)?.content.trim() ?? '';
  const at = rendered.lastIndexOf(said);
  if (said !== '' && at >= 0) return rendered.slice(0, at + said.length);
  const field = 'continue_final_message';
  throw badRequest(`${field}: the model's chat template does not show the last message as it is`, field);
}
