import type { ServingContext } from '../context.js';
import type { Routes } from '../http/exchange.js';
import type { AnswerInHand } from '../kept-requests.js';
import { AnswerIds } from '../mapping/answer-ids.js';
import { ChatFormat } from '../mapping/chat-format.js';
import { openedOnce } from '../mapping/chat-plan.js';
import { formOf } from '../mapping/form.js';
import { answerHead, createdAt } from '../mapping/head.js';
import { prepareChat } from '../mapping/prepare-chat.js';
import { offerOf } from '../mapping/tool-choice.js';
import { chatRequest, type ChatRequest } from '../schema/chat.js';
import { parseRequest } from '../schema/parse.js';
import { generate, type GenerationJob } from './generate.js';

export function chatRoute(routes: Routes, context: ServingContext): void {
  routes.post('/v1/chat/completions', async (exchange) => {
    const body = parseRequest('chat', chatRequest, exchange.body, exchange);
    const model = context.models.resolve(body.model);
    return generate(context, exchange, {
      body,
      count: body.n,
      prepare: ({ signal }) => chatJob(context, body, { model, signal, kept: exchange.kept }),
    });
  });
}

async function chatJob(
  context: ServingContext,
  body: ChatRequest,
  { model, signal, kept }: { readonly model: string; readonly signal: AbortSignal; readonly kept?: AnswerInHand },
): Promise<GenerationJob> {
  const { engine } = context;
  const { continue_final_message: continued, add_generation_prompt: opened = !continued } = body;
  openedOnce(opened, continued);
  const { choices, plan, promptIds } = await prepareChat(context, body, {
    messages: body.messages,
    offer:
      body.functions === undefined
        ? offerOf(body.tools ?? [], body.tool_choice, body.parallel_tool_calls)
        : offerOf(body.functions, body.function_call, false),
    toolsField: body.functions === undefined ? 'tools' : 'functions',
    form: formOf(body),
    maxTokens: body.max_completion_tokens ?? body.max_tokens ?? body.n_predict,
    logprobs: body.logprobs ? (body.top_logprobs ?? 0) : undefined,
    variables: body.chat_template_kwargs,
    continued,
    unopened: !opened,
    rawReasoning: body.reasoning_format === 'none',
    signal,
  });
  const ids = new AnswerIds(kept);
  const named = { id: `chatcmpl-${ids.uuid}`, created: createdAt(kept) };
  const format = new ChatFormat(answerHead(named, model, engine.info), engine, {
    ids,
    includeUsage: body.stream_options?.include_usage === true,
    promptIds: body.return_token_ids === true ? promptIds : undefined,
    reader: plan.reader,
    reasons: body.include_reasoning,
    asFunction: body.functions !== undefined,
  });
  return { choices, format };
}
