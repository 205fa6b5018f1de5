import type { FastifyInstance } from 'fastify';
import type { ServingContext } from '../context.js';
import { detokenizeRequest } from '../schema/detokenize.js';
import { longestSequence } from '../mapping/prompt.js';
import { parseRequest } from '../schema/parse.js';
import { tokenizeRequest } from '../schema/tokenize.js';

const utf8 = new TextDecoder();

/** `/tokenize` and `/detokenize`, shaped as vLLM's. */
export function tokenRoutes(app: FastifyInstance, { engine, lifetimes, models, prompts }: ServingContext): void {
  app.post('/tokenize', async (request, reply) => {
    const body = parseRequest('tokenize', tokenizeRequest, request.body, reply);
    models.resolve(body.model);
    const lifetime = lifetimes.open(request.raw, reply.raw);
    request.lifetime = lifetime;
    const tokens =
      body.messages === undefined
        ? await prompts.text(body.prompt!, 'prompt', body.add_special_tokens)
        : (await prompts.chat(body.messages, { signal: lifetime.signal })).ids;
    const strings = body.return_token_strs ? tokens.map((id) => utf8.decode(engine.tokenBytes(id))) : null;
    return { count: tokens.length, max_model_len: longestSequence(engine.info), tokens, token_strs: strings };
  });

  app.post('/detokenize', (request, reply) => {
    const body = parseRequest('detokenize', detokenizeRequest, request.body, reply);
    models.resolve(body.model);
    prompts.assertKnown(body.tokens, 'tokens');
    return { prompt: engine.detokenize(body.tokens) };
  });
}
