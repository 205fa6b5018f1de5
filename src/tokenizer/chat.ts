/** Chat templates. Import this module only where a chat is rendered: the template engine costs some start-up time. */
import { Template } from '@huggingface/jinja';
import { RidgepointError, type ErrorCode } from '../errors.js';
import { withinLimits } from './template-limits.js';
import './template-undefined.js';
import type { Tokenizer } from './tokenizer.js';

/** One message of a conversation; which roles there are is up to the template. */
export interface ChatTurn {
  readonly role: string;
  readonly content: string;
  readonly name?: string;
  readonly tool_calls?: readonly object[];
  readonly tool_call_id?: string;
}

export interface ChatOptions {
  readonly bosToken?: string;
  readonly eosToken?: string;
  /** End with the words that open the assistant's turn; default true. */
  readonly addGenerationPrompt?: boolean;
}

/**
 * Text of a conversation as the model was trained to see it. The template sees what transformers gives it: `messages`,
 * `bos_token`, `eos_token`, `add_generation_prompt`, and `tools` and `documents` as none.
 * @throws RidgepointError ('checkpoint') for a template that is not valid Jinja, ('prompt') with the template's own
 *   words where it raises an exception, as it does over roles out of order
 */
export function renderChat(template: string, messages: readonly ChatTurn[], options: ChatOptions = {}): string {
  const compiled = attempt('checkpoint', "The model's chat template is not valid Jinja", () => new Template(template));
  return attempt('prompt', "The model's chat template does not accept these messages", () =>
    withinLimits(() =>
      compiled.render({
        messages: messages.map((message) => ({ ...message })),
        bos_token: options.bosToken ?? '',
        eos_token: options.eosToken ?? '',
        add_generation_prompt: options.addGenerationPrompt ?? true,
        tools: null,
        documents: null,
      }),
    ),
  );
}

function attempt<T>(code: ErrorCode, failure: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const reason = (error as Error).message;
    throw new RidgepointError(code, `${failure}: ${reason}${reason.endsWith('.') ? '' : '.'}`, { cause: error });
  }
}

/**
 * Text of a conversation, rendered with the tokenizer's own template.
 * @throws RidgepointError as `renderChat`; ('prompt') where the model has no chat template
 */
export function chatText(
  { chatTemplate, bosToken, eosToken }: Tokenizer,
  messages: readonly ChatTurn[],
  options: Pick<ChatOptions, 'addGenerationPrompt'> = {},
): string {
  if (chatTemplate === undefined) {
    throw new RidgepointError('prompt', 'The model has no chat template; give it a plain prompt instead of messages.');
  }
  return renderChat(chatTemplate, messages, { bosToken, eosToken, ...options });
}

/**
 * Ids of a conversation, rendered with the tokenizer's own template. The template alone decides about BOS, as in
 * transformers' `apply_chat_template`: encoding adds none.
 * @throws RidgepointError as `renderChat`; ('prompt') where the model has no chat template
 */
export function encodeChat(
  tokenizer: Tokenizer,
  messages: readonly ChatTurn[],
  options: Pick<ChatOptions, 'addGenerationPrompt'> = {},
): number[] {
  return tokenizer.encode(chatText(tokenizer, messages, options), { addSpecialTokens: false });
}
