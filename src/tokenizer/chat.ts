/** Chat templates. Import this module only where a chat is rendered: the template engine costs some start-up time. */
import { RidgepointError, type ErrorCode } from '../errors.js';
import { Template } from './jinja/template.js';
import type { Tokenizer } from './tokenizer.js';

/** One message of a conversation; which roles there are is up to the template. */
export interface ChatTurn {
  readonly role: string;
  readonly content: string;
  readonly name?: string;
  readonly tool_calls?: readonly object[];
  readonly tool_call_id?: string;
  readonly reasoning_content?: string;
}

export interface ChatOptions {
  readonly bosToken?: string;
  readonly eosToken?: string;
  /** End with the words that open the assistant's turn; default true. */
  readonly addGenerationPrompt?: boolean;
  /** Functions that may be called, as in OpenAI's API. */
  readonly tools?: readonly object[];
  /** More that the template may ask for, by name. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** What a front end says of how a chat is to be rendered. */
export type ChatWishes = Pick<ChatOptions, 'addGenerationPrompt' | 'tools' | 'variables'>;

/**
 * Text of a conversation as the model was trained to see it. The template sees what transformers gives it: `messages`,
 * `bos_token`, `eos_token`, `add_generation_prompt`, `tools`, further variables, and `documents` as none.
 * @throws RidgepointError ('checkpoint') for a template that is not valid Jinja, ('prompt') with the template's own
 *   words where it raises an exception, as it does over roles out of order
 */
export function renderChat(template: string, messages: readonly ChatTurn[], options: ChatOptions = {}): string {
  const compiled = attempt('checkpoint', "The model's chat template is not valid Jinja", () => new Template(template));
  return attempt('prompt', "The model's chat template does not accept these messages", () =>
    compiled.render({
      ...options.variables,
      messages,
      bos_token: options.bosToken ?? '',
      eos_token: options.eosToken ?? '',
      add_generation_prompt: options.addGenerationPrompt ?? true,
      tools: options.tools ?? null,
      documents: null,
    }),
  );
}

function attempt<T>(code: ErrorCode, failure: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const reason = error instanceof RangeError ? beyond(error) : (error as Error).message;
    throw new RidgepointError(code, `${failure}: ${reason}${reason.endsWith('.') ? '' : '.'}`, { cause: error });
  }
}

/** What the engine of JavaScript says in its own words of a template that asks for too much. */
function beyond(error: RangeError): string {
  return /call stack/.test(error.message) ? 'it calls itself without an end' : 'it makes more than memory can hold';
}

/** The template of a conversation: models may have one of their own for tools, as transformers has it. */
export function templateFor({ tools }: ChatWishes, template: string, toolTemplate: string | undefined): string {
  return tools !== undefined && tools.length > 0 ? (toolTemplate ?? template) : template;
}

/**
 * Text of a conversation, rendered with the tokenizer's own template.
 * @throws RidgepointError as `renderChat`; ('prompt') where the model has no chat template
 */
export function chatText(
  { chatTemplate, toolTemplate, bosToken, eosToken }: Tokenizer,
  messages: readonly ChatTurn[],
  options: ChatWishes = {},
): string {
  if (chatTemplate === undefined) {
    throw new RidgepointError('prompt', 'The model has no chat template; give it a plain prompt instead of messages.');
  }
  return renderChat(templateFor(options, chatTemplate, toolTemplate), messages, { bosToken, eosToken, ...options });
}

/**
 * Ids of a conversation, rendered with the tokenizer's own template. The template alone decides about BOS, as in
 * transformers' `apply_chat_template`: encoding adds none.
 * @throws RidgepointError as `renderChat`; ('prompt') where the model has no chat template
 */
export function encodeChat(tokenizer: Tokenizer, messages: readonly ChatTurn[], options: ChatWishes = {}): number[] {
  return tokenizer.encode(chatText(tokenizer, messages, options), { addSpecialTokens: false });
}
