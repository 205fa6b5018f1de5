import type { FastifyInstance } from 'fastify';
import type { ServingContext } from '../context.js';
import { CompletionFormat } from '../mapping/completion-format.js';
import { choiceSeed, generateOptions } from '../mapping/generate-options.js';
import { answerHead } from '../mapping/head.js';
import { completionRequest, type CompletionRequest } from '../schema/completion.js';
import { parseRequest } from '../schema/parse.js';
import { generate, type GenerationJob } from './generate.js';

export function completionRoute(app: FastifyInstance, context: ServingContext): void {
  app.post('/v1/completions', async (request, reply) => {
    const body = parseRequest(completionRequest, request.body);
    const model = context.models.resolve(body.model);
    const count = body.prompt.length * body.n;
    return generate(context, request, reply, body, count, () => completionJob(context, body, model));
  });
}

function completionJob(context: ServingContext, body: CompletionRequest, model: string): GenerationJob {
  const { engine, prompts, formats } = context;
  const constraint = formats.constraint(body.response_format);
  const options = generateOptions(body, engine);
  const encoded = body.prompt.map((prompt) => {
    const ids = typeof prompt === 'string' ? prompts.text(prompt, 'prompt') : prompt;
    prompts.assertFits(ids, body.max_tokens, 'prompt');
    return ids;
  });
  // Choices of the first prompt come first, as in OpenAI's API.
  const choices = encoded.flatMap((promptIds, at) =>
    Array.from({ length: body.n }, (_, choice) => ({
      promptIds,
      options: {
        ...options,
        logprobs: body.logprobs,
        seed: choiceSeed(body.seed, at * body.n + choice),
        constraint: constraint?.(),
      },
    })),
  );
  const echoes = choices.map((_, index) => {
    if (!body.echo) return undefined;
    const prompt = body.prompt[Math.floor(index / body.n)];
    return typeof prompt === 'string' ? prompt : engine.detokenize(prompt);
  });
  const format = new CompletionFormat(
    answerHead('cmpl', model, engine.info),
    (id) => engine.tokenBytes(id),
    body.stream_options?.include_usage === true,
    body.return_token_ids === true,
    echoes,
  );
  return { choices, format };
}
