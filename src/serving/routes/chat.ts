import type { FastifyInstance } from 'fastify';
import type { ServingContext } from '../context.js';
import { ChatFormat } from '../mapping/chat-format.js';
import { choiceSeed, generateOptions } from '../mapping/generate-options.js';
import { answerHead } from '../mapping/head.js';
import { chatRequest, type ChatRequest } from '../schema/chat.js';
import { parseRequest } from '../schema/parse.js';
import { generate, type GenerationJob } from './generate.js';

export function chatRoute(app: FastifyInstance, context: ServingContext): void {
  app.post('/v1/chat/completions', async (request, reply) => {
    const body = parseRequest('chat', chatRequest, request.body, reply);
    const model = context.models.resolve(body.model);
    return generate(context, request, reply, body, body.n, () => chatJob(context, body, model));
  });
}

async function chatJob(context: ServingContext, body: ChatRequest, model: string): Promise<GenerationJob> {
  const { engine, prompts, formats } = context;
  const maxTokens = body.max_completion_tokens ?? body.max_tokens;
  const constraint = formats.constraint(body.response_format);
  const promptIds = await prompts.chat(body.messages);
  prompts.assertFits(promptIds, maxTokens, 'messages');
  const options = generateOptions({ ...body, max_tokens: maxTokens }, engine);
  const logprobs = body.logprobs ? (body.top_logprobs ?? 0) : undefined;
  const choices = Array.from({ length: body.n }, (_, index) => ({
    promptIds,
    options: { ...options, logprobs, seed: choiceSeed(body.seed, index), constraint: constraint?.() },
  }));
  const format = new ChatFormat(
    answerHead('chatcmpl', model, engine.info),
    engine,
    body.stream_options?.include_usage === true,
    body.return_token_ids === true ? promptIds : undefined,
  );
  return { choices, format };
}
