import { TextReader } from '../../tools/index.js';
import type { ServingContext } from '../context.js';
import type { Routes } from '../http/exchange.js';
import type { AnswerInHand } from '../kept-requests.js';
import { AnswerIds } from '../mapping/answer-ids.js';
import { MessageFormat } from '../mapping/message-format.js';
import { prepareChat, type ChatInput } from '../mapping/prepare-chat.js';
import { offerOf } from '../mapping/tool-choice.js';
import { countRequest, messagesRequest, type CountRequest, type MessagesRequest } from '../schema/messages.js';
import { parseRequest } from '../schema/parse.js';
import { generate, type GenerationJob } from './generate.js';

/** `/v1/messages`: chats in the words of Anthropic's API. */
export function messagesRoutes(routes: Routes, context: ServingContext): void {
  routes.post('/v1/messages', async (exchange) => {
    const body = parseRequest('messages', messagesRequest, exchange.body, exchange);
    const model = context.models.resolve(body.model);
    // The last events have the usage.
    const streamed = { ...body, stream_options: { include_usage: true } };
    return generate(context, exchange, {
      body: streamed,
      count: 1,
      prepare: ({ signal }) => messageJob(context, body, { model, signal, kept: exchange.kept }),
    });
  });
  routes.post('/v1/messages/count_tokens', async (exchange) => {
    const body = parseRequest('count', countRequest, exchange.body, exchange);
    context.models.resolve(body.model);
    const lifetime = exchange.open();
    const { promptIds } = await context.chats.plan({ ...chatOf(body), signal: lifetime.signal });
    return { input_tokens: promptIds.length };
  });
}

/** What a request says of the conversation. */
function chatOf(body: CountRequest): Pick<ChatInput, 'messages' | 'offer' | 'variables'> {
  const { system, messages, tools = [], tool_choice: choice, thinking } = body;
  return {
    messages: system === undefined ? messages : [{ role: 'system', content: system }, ...messages],
    offer: offerOf(tools, choice, choice?.parallel),
    // Templates of models that may think or not ask for this.
    variables: thinking && { enable_thinking: thinking.type !== 'disabled' },
  };
}

async function messageJob(
  context: ServingContext,
  body: MessagesRequest,
  { model, signal, kept }: { readonly model: string; readonly signal: AbortSignal; readonly kept?: AnswerInHand },
): Promise<GenerationJob> {
  const stops = [...(body.stop ?? []), ...(body.stop_sequences ?? [])];
  const { choices, plan, promptIds } = await prepareChat(
    context,
    { ...body, stop: stops },
    { ...chatOf(body), maxTokens: body.max_tokens, signal },
  );
  const options = { ids: new AnswerIds(kept), model, promptTokens: promptIds.length, stops };
  return { choices, format: new MessageFormat(options, plan.reader?.() ?? new TextReader()) };
}
