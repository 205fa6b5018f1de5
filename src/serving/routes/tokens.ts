import type { ServingContext } from '../context.js';
import type { Routes } from '../http/exchange.js';
import { detokenizeRequest } from '../schema/detokenize.js';
import { longestSequence } from '../mapping/prompt.js';
import { parseRequest } from '../schema/parse.js';
import { tokenizeRequest } from '../schema/tokenize.js';

const utf8 = new TextDecoder();

/** `/tokenize` and `/detokenize`, shaped as vLLM's. */
export function tokenRoutes(routes: Routes, { engine, models, prompts }: ServingContext): void {
  routes.post('/tokenize', async (exchange) => {
    const body = parseRequest('tokenize', tokenizeRequest, exchange.body, exchange);
    models.resolve(body.model);
    const lifetime = exchange.open();
    const tokens =
      body.messages === undefined
        ? await prompts.text(body.prompt!, 'prompt', body.add_special_tokens)
        : (await prompts.chat(body.messages, { signal: lifetime.signal })).ids;
    const strings = body.return_token_strs ? tokens.map((id) => utf8.decode(engine.tokenBytes(id))) : null;
    return { count: tokens.length, max_model_len: longestSequence(engine.info), tokens, token_strs: strings };
  });

  routes.post('/detokenize', (exchange) => {
    const body = parseRequest('detokenize', detokenizeRequest, exchange.body, exchange);
    models.resolve(body.model);
    prompts.assertKnown(body.tokens, 'tokens');
    return { prompt: engine.detokenize(body.tokens) };
  });
}
