import type { ServingContext } from '../context.js';
import type { Routes } from '../http/exchange.js';
import { ApiError, badRequest } from '../errors.js';
import { json } from '../../grammar/grammar.js';
import { asTemplateSees, TextReader } from '../../tools/index.js';
import type { Form } from '../mapping/form.js';
import type { AnswerInHand } from '../kept-requests.js';
import { AnswerIds } from '../mapping/answer-ids.js';
import { createdAt } from '../mapping/head.js';
import { prepareChat } from '../mapping/prepare-chat.js';
import { ResponseFormat } from '../mapping/response-format.js';
import { offerOf } from '../mapping/tool-choice.js';
import { parseRequest } from '../schema/parse.js';
import { responsesRequest, type ResponsesRequest } from '../schema/responses.js';
import { generate, type GenerationJob } from './generate.js';

/** `/v1/responses`: chats in OpenAI's newer words. Those that are kept are in memory. */
export function responsesRoutes(routes: Routes, context: ServingContext): void {
  const store = context.responses;
  routes.post('/v1/responses', async (exchange) => {
    const body = parseRequest('responses', responsesRequest, exchange.body, exchange);
    const model = context.models.resolve(body.model);
    // The last event has the usage.
    const streamed = { ...body, stream_options: { include_usage: true } };
    return generate(context, exchange, {
      body: streamed,
      count: 1,
      prepare: ({ signal }) => responseJob(context, body, { model, signal, kept: exchange.kept }),
    });
  });
  routes.get('/v1/responses/:id', ({ params }) => {
    return store.get(params.id)?.response ?? notFound(params.id);
  });
  routes.delete('/v1/responses/:id', ({ params: { id } }) => {
    if (!store.delete(id)) notFound(id);
    return { id, object: 'response', deleted: true };
  });
}

function notFound(id: string): never {
  const message = `there is no response ${id.slice(0, 80)}; those that are kept are in this server's memory`;
  throw new ApiError(404, message, { type: 'not_found_error', code: 'response_not_found' });
}

async function responseJob(
  context: ServingContext,
  body: ResponsesRequest,
  { model, signal, kept }: { readonly model: string; readonly signal: AbortSignal; readonly kept?: AnswerInHand },
): Promise<GenerationJob> {
  const { previous_response_id: previous } = body;
  const { responses: store } = context;
  const filed = kept?.previous;
  const before =
    previous === undefined ? undefined : (store.get(previous) ?? (filed?.id === previous ? filed : undefined));
  if (previous !== undefined && before === undefined) {
    const message = `previous_response_id: there is no response ${previous.slice(0, 80)}`;
    throw badRequest(message, 'previous_response_id', 'previous_response_not_found');
  }
  const messages = [...(before?.messages ?? []), ...body.input];
  const instructed =
    body.instructions === undefined ? messages : [{ role: 'system' as const, content: body.instructions }, ...messages];
  const { choices, plan } = await prepareChat(context, body, {
    messages: instructed,
    offer: offerOf(body.tools ?? [], body.tool_choice, body.parallel_tool_calls),
    form: formOf(body),
    maxTokens: body.max_output_tokens,
    variables: effortOf(body, context.engine.chatTemplate),
    messagesField: 'input',
    signal,
  });
  const ids = new AnswerIds(kept);
  const head = { id: `resp_${ids.hex}`, created_at: createdAt(kept), ...headOf(body, model) };
  const format = new ResponseFormat({ head, ids }, plan.reader?.() ?? new TextReader(), (response, said) => {
    if (body.store) store.keep(head.id, { response, messages: [...messages, said] });
  });
  return { choices, format };
}

function formOf({ text }: ResponsesRequest): Form | undefined {
  const format = text?.format;
  if (format?.type === 'json_object') return { grammar: json(), param: 'text' };
  return format?.type === 'json_schema' ? { grammar: json(format.schema), param: 'text' } : undefined;
}

/** How long to think, where the template asks. @throws ApiError (400) where it does not */
function effortOf({ reasoning }: ResponsesRequest, template: string | undefined): Record<string, unknown> | undefined {
  const effort = reasoning?.effort ?? undefined;
  if (effort === undefined || effort === 'none') return undefined;
  if (template?.includes('reasoning_effort')) return { reasoning_effort: effort };
  throw badRequest("reasoning: the model's chat template knows of no effort", 'reasoning');
}

/** All of a response that the request's body decides. */
function headOf(body: ResponsesRequest, model: string) {
  return {
    object: 'response',
    background: false,
    error: null,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    metadata: body.metadata ?? {},
    model,
    parallel_tool_calls: body.parallel_tool_calls,
    previous_response_id: body.previous_response_id ?? null,
    reasoning: { effort: body.reasoning?.effort ?? null, summary: null },
    store: body.store,
    temperature: body.temperature ?? null,
    text: { format: body.text?.format ?? { type: 'text' } },
    tool_choice: choiceOf(body.tool_choice),
    tools: (body.tools ?? []).map((tool) => ({
      type: 'function',
      ...(asTemplateSees(tool) as { readonly function: object }).function,
      strict: true,
    })),
    top_p: body.top_p ?? null,
    truncation: 'disabled',
  };
}

function choiceOf(choice: ResponsesRequest['tool_choice']): unknown {
  if (choice?.names === undefined) return choice?.mode ?? 'auto';
  const tools = choice.names.map((name) => ({ type: 'function', name }));
  return choice.single ? tools[0] : { type: 'allowed_tools', mode: choice.mode, tools };
}
