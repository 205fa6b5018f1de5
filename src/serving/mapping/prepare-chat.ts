import type { ChatMessage } from '../../engine/api.js';
import type { Choice } from '../choices.js';
import type { ServingContext } from '../context.js';
import type { GenerationRequest } from '../schema/generation.js';
import type { ChatPlan } from './chat-plan.js';
import type { Form } from './form.js';
import { choiceSeed, generateOptions } from './generate-options.js';
import { tokenRules } from './token-rules.js';
import type { Offer } from './tool-choice.js';

/** A conversation, and all that is asked of its reply, in whichever API's words it came. */
export interface ChatInput {
  readonly messages: readonly ChatMessage[];
  readonly offer?: Offer;
  readonly form?: Form;
  readonly maxTokens: number | undefined;
  readonly logprobs?: number;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly continued?: boolean;
  readonly unopened?: boolean;
  readonly rawReasoning?: boolean;
  /** Aborted when nobody waits for the reply any more. */
  readonly signal: AbortSignal;
  /** Names of the fields that hold messages and tools, for errors. */
  readonly messagesField?: string;
  readonly toolsField?: string;
}

export interface PreparedChat {
  readonly choices: readonly Choice[];
  readonly plan: ChatPlan;
  readonly promptIds: readonly number[];
}

/** The way of every chat to the engine. @throws ApiError (400) */
export async function prepareChat(
  { engine, prompts, grammars, chats }: ServingContext,
  request: GenerationRequest,
  input: ChatInput,
): Promise<PreparedChat> {
  const { maxTokens, logprobs, form, offer, messagesField = 'messages', toolsField = 'tools', ...wish } = input;
  const plan = await chats.plan({ ...wish, offer, form: form?.grammar });
  const constraint = grammars.constraint(
    plan.grammar,
    offer === undefined ? (form?.param ?? messagesField) : toolsField,
  );
  const promptIds = prompts.cut(plan.promptIds, request.truncate_prompt_tokens, maxTokens);
  prompts.assertFits(promptIds, maxTokens, messagesField);
  const options = generateOptions({ ...request, max_tokens: maxTokens }, engine);
  const rules = await tokenRules(request, engine);
  const choices = Array.from({ length: request.n }, (_, index) => ({
    promptIds,
    options: {
      ...options,
      logprobs,
      seed: choiceSeed(request.seed, index),
      constraint: rules(constraint?.()),
      shownSpecials: plan.specials,
    },
  }));
  return { choices, plan, promptIds };
}
