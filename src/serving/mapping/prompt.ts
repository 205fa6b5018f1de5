import type { ChatMessage, EngineInfo, TextEngine } from '../../engine/api.js';
import { type ApiError, badRequest } from '../errors.js';

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

/** Turns the prompts of requests into token ids, and refuses those that cannot fit before they cost anything. */
export class PromptReader {
  #longestToken: number | undefined;
  #toolParts: Promise<ToolParts> | undefined;

  constructor(private readonly engine: TextEngine) {}

  /**
   * @param addSpecialTokens put a BOS before the text where the tokenizer asks for one
   * @throws ApiError (400) for a text that is too long for the context
   */
  async text(text: string, param: string, addSpecialTokens = true): Promise<number[]> {
    this.#assertTokenizable(Buffer.byteLength(text), param);
    return this.#encode(text, addSpecialTokens);
  }

  /**
   * @throws ApiError (400) where the model has no chat template, the template has no place for tools' messages, or the
   *   chat is too long for the context
   */
  async chat(messages: readonly ChatMessage[]): Promise<number[]> {
    if (!this.engine.hasChatTemplate) {
      throw badRequest(
        `${this.engine.info.model} has no chat template; use /v1/completions, or start the server with --chat-template`,
        'messages',
        'no_chat_template',
      );
    }
    const bytes = messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
    this.#assertTokenizable(bytes, 'messages');
    await this.#assertToolsShow(messages);
    // Many have taken their time to be checked.
    if (messages.length > FEW_MESSAGES) await new Promise<void>((resolve) => setImmediate(() => resolve()));
    // What a template puts around them counts too.
    const text = await this.engine.chatTextAside(messages);
    this.#assertTokenizable(Buffer.byteLength(text), 'messages');
    return this.#encode(text, false);
  }

  /**
   * Checks that a prompt and its completion fit. Nothing is ever cut off silently.
   *
   * @param maxTokens as requested; undefined for as many as fit
   * @throws ApiError (400)
   */
  assertFits(ids: readonly number[], maxTokens: number | undefined, param: string): void {
    this.assertKnown(ids, param);
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

  /** @throws ApiError (400) for an id that is not in the vocabulary */
  assertKnown(ids: readonly number[], param: string): void {
    const { vocab } = this.engine.config;
    const unknown = ids.find((id) => id >= vocab);
    if (unknown === undefined) return;
    throw badRequest(`token id ${unknown} is not in the vocabulary, whose ids are 0 to ${vocab - 1}`, param);
  }

  #encode(text: string, addSpecialTokens: boolean): Promise<number[]> {
    return this.engine.tokenizeInSlices(text, { addSpecialTokens });
  }

  /** Most templates pass over what they do not know, and with it what a tool has answered. */
  async #assertToolsShow(messages: readonly ChatMessage[]): Promise<void> {
    const answer = messages.findIndex(({ role }) => role === 'tool');
    const call = messages.findIndex(({ tool_calls }) => tool_calls !== undefined);
    if (answer < 0 && call < 0) return;
    const { calls, answers } = await (this.#toolParts ??= toolParts(this.engine));
    const hidden = call >= 0 && !calls ? call : answer >= 0 && !answers ? answer : undefined;
    if (hidden === undefined) return;
    const what = hidden === call ? 'calls of tools' : 'what tools answer';
    throw badRequest(`the model's chat template has no place for ${what}`, `messages[${hidden}]`);
  }

  /**
   * Tokenizing takes time that grows with the text. No token has more bytes than the longest one in the vocabulary,
   * which tells of a very long text that it cannot fit.
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

interface ToolParts {
  readonly calls: boolean;
  readonly answers: boolean;
}

/** Whether a template shows calls of tools, and what they answer: seen by rendering some. */
async function toolParts(engine: TextEngine): Promise<ToolParts> {
  const call = { id: 'call00001', type: 'function', function: { name: 'lookforthis', arguments: { x: 1 } } };
  const shows = async (word: string): Promise<boolean> => {
    try {
      const text = await engine.chatTextAside([
        { role: 'user', content: 'question' },
        { role: 'assistant', content: '', tool_calls: [call] },
        { role: 'tool', content: 'andforthis', tool_call_id: 'call00001', name: 'lookforthis' },
      ]);
      return text.includes(word);
    } catch {
      return false;
    }
  };
  return { calls: await shows('lookforthis'), answers: await shows('andforthis') };
}
