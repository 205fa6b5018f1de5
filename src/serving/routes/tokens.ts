import type { FastifyInstance } from 'fastify';
import type { ServingContext } from '../context.js';
import { detokenizeRequest } from '../schema/detokenize.js';
import { longestSequence } from '../mapping/prompt.js';
import { parseRequest } from '../schema/parse.js';
import { tokenizeRequest } from '../schema/tokenize.js';
import { badRequest } from '../errors.js';

const utf8 = new TextDecoder();

/** `/tokenize` and `/detokenize`, shaped as vLLM's. */
export function tokenRoutes(app: FastifyInstance, { engine, models, prompts }: ServingContext): void {
  app.post('/tokenize', (request) => {
    const body = parseRequest(tokenizeRequest, request.body);
    models.resolve(body.model);
    const tokens =
      body.messages === undefined
        ? prompts.text(body.prompt!, 'prompt', body.add_special_tokens)
        : prompts.chat(body.messages);
    const strings = body.return_token_strs ? tokens.map((id) => utf8.decode(engine.tokenBytes(id))) : null;
    return { count: tokens.length, max_model_len: longestSequence(engine.info), tokens, token_strs: strings };
  });

  app.post('/detokenize', (request) => {
    const body = parseRequest(detokenizeRequest, request.body);
    models.resolve(body.model);
    const { vocab } = engine.config;
    const unknown = body.tokens.find((id) => id >= vocab);
    if (unknown !== undefined) {
      throw badRequest(`token id ${unknown} is not in the vocabulary, whose ids are 0 to ${vocab - 1}`, 'tokens');
    }
    return { prompt: engine.detokenize(body.tokens) };
  });
}
