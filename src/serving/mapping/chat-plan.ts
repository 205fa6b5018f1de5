import type { ChatMessage, ChatWishes, TextEngine } from '../../engine/api.js';
import { choice, type Grammar } from '../../grammar/grammar.js';
import {
  afterReasoning,
  asTemplateSees,
  described,
  isThinking,
  ReasoningReader,
  reasoningOf,
  TextReader,
  toolFormat,
  toolFormatOf,
  withShortIds,
  type ReasoningMarkers,
  type ReplyReader,
  type ToolFormat,
  type ToolFormatName,
} from '../../tools/index.js';
import { badRequest } from '../errors.js';
import { templateParts, type TemplateParts } from './template-parts.js';
import type { PromptReader } from './prompt.js';
import type { Offer } from './tool-choice.js';

export interface ChatWish {
  readonly messages: readonly ChatMessage[];
  readonly offer?: Offer;
  /** The form of an answer that is no call; undefined for free text. */
  readonly form?: Grammar;
  /** Variables for the template. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** The last message is to be gone on with. */
  readonly continued?: boolean;
  /** Whether the words that open the reply are left out. */
  readonly unopened?: boolean;
  /** Thoughts stay in the text. */
  readonly rawReasoning?: boolean;
  /** Aborted when nobody waits for it any more. */
  readonly signal?: AbortSignal;
}

export interface ChatPlan {
  readonly promptIds: readonly number[];
  /** The form of the whole reply; undefined for free text. */
  readonly grammar: Grammar | undefined;
  /** Special tokens that the reader must see. */
  readonly specials: readonly string[];
  /** Takes a reply apart; a new one for each. Undefined where all of it is text. */
  readonly reader: (() => ReplyReader) | undefined;
}

/** Decides how a conversation becomes a prompt, what its reply must be like and how it is read. */
export class ChatPlanner {
  readonly #reasoning: ReasoningMarkers | undefined;
  #parts: Promise<TemplateParts> | undefined;

  readonly #engine: TextEngine;
  readonly #prompts: PromptReader;
  readonly #name: ToolFormatName | undefined;

  /** @param name of the format of calls; undefined for the template's own */
  constructor(engine: TextEngine, prompts: PromptReader, name?: ToolFormatName) {
    this.#engine = engine;
    this.#prompts = prompts;
    this.#name = name;
    this.#reasoning = reasoningOf(engine.chatTemplate);
  }

  /** The format of calls of the model at hand. */
  async format(): Promise<ToolFormat> {
    if (this.#name !== undefined) return toolFormat(this.#name);
    return toolFormatOf(this.#engine.chatTemplate, (await this.#shown()).tools);
  }

  /** @throws ApiError (400) as `PromptReader.chat` */
  async plan(wish: ChatWish): Promise<ChatPlan> {
    const { offer, variables, continued = false, unopened = false } = wish;
    const format = offer === undefined ? undefined : await this.format();
    const messages = await this.#written(wish.messages, offer, format);
    const wishes: ChatWishes = {
      ...(variables === undefined ? {} : { variables }),
      ...(continued || unopened ? { addGenerationPrompt: false } : {}),
      ...(offer === undefined || format?.described ? {} : { tools: offer.tools.map(asTemplateSees) }),
    };
    const prompt = await this.#prompts.chat(messages, { ...wishes, continued, signal: wish.signal });
    const markers = wish.rawReasoning ? undefined : this.#reasoning;
    const begun = markers !== undefined && isThinking(prompt.text, markers);
    const form = formOf(wish, format);
    return {
      promptIds: prompt.ids,
      grammar: form && markers ? afterReasoning(form, markers, begun) : form,
      specials: [...(format?.specials ?? []), ...(markers ? [markers.open, markers.close] : [])],
      reader: readerOf(offer, format, markers, begun),
    };
  }

  /** Messages as the template can show them. */
  async #written(
    messages: readonly ChatMessage[],
    offer: Offer | undefined,
    format: ToolFormat | undefined,
  ): Promise<readonly ChatMessage[]> {
    const tools = format?.described ? (offer?.tools ?? []) : [];
    const hasHistory = messages.some(({ role, tool_calls }) => role === 'tool' || tool_calls !== undefined);
    const keepsThoughts = this.#engine.chatTemplate?.includes('reasoning_content') ?? false;
    let result = keepsThoughts ? messages : messages.map(withoutThoughts);
    if (!hasHistory) return tools.length === 0 ? result : (described(result, tools) as ChatMessage[]);
    const { calls, answers } = await this.#shown();
    if (format?.described || !calls || !answers) result = described(result, tools) as ChatMessage[];
    const own = format ?? (await this.format());
    return own.name.startsWith('mistral') ? withShortIds(result) : result;
  }

  #shown(): Promise<TemplateParts> {
    return (this.#parts ??= templateParts(this.#engine));
  }
}

function withoutThoughts(message: ChatMessage): ChatMessage {
  return { ...message, reasoning_content: undefined };
}

/** The form of a reply: calls, an answer of a form of its own, or either. */
function formOf({ offer, form }: ChatWish, format: ToolFormat | undefined): Grammar | undefined {
  if (offer === undefined || format === undefined) return form;
  const { callable, limits } = offer;
  if (limits.required || form === undefined) return format.grammar(callable, limits);
  return choice(form, format.grammar(callable, { ...limits, required: true }));
}

function readerOf(
  offer: Offer | undefined,
  format: ToolFormat | undefined,
  markers: ReasoningMarkers | undefined,
  begun: boolean,
): (() => ReplyReader) | undefined {
  if (format === undefined && markers === undefined) return undefined;
  const tools = offer?.callable ?? [];
  const inner = (): ReplyReader => format?.reader(tools) ?? new TextReader();
  return markers === undefined ? inner : () => new ReasoningReader(markers, inner(), begun);
}

/** @throws ApiError (400) where both are asked for */
export function openedOnce(addGenerationPrompt: boolean, continueFinalMessage: boolean): void {
  if (!addGenerationPrompt || !continueFinalMessage) return;
  throw badRequest(
    'continue_final_message: a last message is gone on with only where "add_generation_prompt" is false',
    'continue_final_message',
  );
}
