import { RidgepointError } from '../../errors.js';
import { sendWhole } from '../answer.js';
import type { ServingContext } from '../context.js';
import type { Routes } from '../http/exchange.js';
import { ApiError, badRequest, toApiError } from '../errors.js';
import { Turns } from '../http/turns.js';
import { embeddingAnswer } from '../mapping/embedding-format.js';
import { embeddingsRequest, type EmbeddingInput } from '../schema/embeddings.js';
import { parseRequest } from '../schema/parse.js';

/** `/v1/embeddings`: the last hidden states of a model that is meant for it, pooled; shaped as OpenAI's. */
export function embeddingRoute(routes: Routes, context: ServingContext): void {
  const { engine, models, admission, metrics } = context;
  routes.post('/v1/embeddings', async (exchange) => {
    const body = parseRequest('embeddings', embeddingsRequest, exchange.body, exchange);
    const model = models.resolve(body.model);
    if (engine.embed === undefined) {
      throw badRequest(
        'embeddings are not computed where a router hands requests to workers; ask a server that runs the model itself, started with "ridgepoint serve"',
        'model',
        'embeddings_not_supported',
      );
    }
    const { hidden } = engine.config;
    if (body.dimensions !== undefined && body.dimensions > hidden) {
      throw badRequest(`dimensions: expected at most ${hidden}, the model’s hidden size`, 'dimensions');
    }
    const lifetime = exchange.open();
    // One place, since no more of a list is computed at a time than fills a step.
    lifetime.onClosed(admission.enter(1));
    await assertShort(context, body.input);
    lifetime.throwIfEnded();
    const { dimensions, priority, normalize, encoding_format: format } = body;
    const input = body.add_special_tokens ? body.input : await plainIds(context, body.input, lifetime.signal);
    const embeddings = await engine
      .embed(input, { dimensions, priority, normalize, signal: lifetime.signal })
      .catch((error: unknown) => {
        throw named(error);
      });
    metrics.embedded(embeddings.tokens);
    const failure = await sendWhole(embeddingAnswer(embeddings, model, format), exchange.deliver(lifetime));
    if (failure !== undefined) lifetime.end('client gone');
  });
}

/** Texts that cannot fit are refused before they are tokenized. */
async function assertShort({ prompts }: ServingContext, input: EmbeddingInput): Promise<void> {
  if (typeof input === 'string') return prompts.assertShort(input, 'input');
  const turns = new Turns();
  for (const [at, each] of input.entries()) {
    if (typeof each !== 'string') return;
    prompts.assertShort(each, `input[${at}]`);
    await turns.pause();
  }
}

/** Texts as ids, without the special tokens that the tokenizer would put around them. */
async function plainIds(
  { engine }: ServingContext,
  input: EmbeddingInput,
  signal: AbortSignal,
): Promise<EmbeddingInput> {
  const texts = typeof input === 'string' ? [input] : input;
  const ids: (readonly number[])[] = [];
  for (const text of texts) {
    if (typeof text !== 'string') return input;
    ids.push(await engine.tokenizeInSlices(text, { addSpecialTokens: false, signal }));
  }
  return ids;
}

/** What is wrong, with the field it is about. */
function named(error: unknown): unknown {
  if (!(error instanceof RidgepointError)) return error;
  const { status, message, cause } = toApiError(error);
  if (error.code === 'prompt') return badRequest(message, 'input');
  if (error.option === 'pooling') {
    return new ApiError(status, message, { param: 'model', code: 'embeddings_not_supported', cause });
  }
  return error;
}
