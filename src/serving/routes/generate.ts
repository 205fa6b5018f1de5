import type { FastifyReply, FastifyRequest } from 'fastify';
import { streamAnswer, wholeAnswer, type AnswerFormat } from '../answer.js';
import { runChoices, type Choice } from '../choices.js';
import type { ServingContext } from '../context.js';
import { toApiError } from '../errors.js';
import type { GenerationRequest } from '../schema/generation.js';

export interface GenerationJob {
  readonly choices: readonly Choice[];
  readonly format: AnswerFormat;
}

/**
 * The way of every request that generates: a place in the queue, the engine, the answer.
 *
 * @param count choices of the request
 * @param prepare turns it into prompts and options; called once it has its place
 * @returns the answer; nothing where it was streamed
 */
export async function generate(
  context: ServingContext,
  request: FastifyRequest,
  reply: FastifyReply,
  body: Pick<GenerationRequest, 'n' | 'stream' | 'stream_options'>,
  count: number,
  prepare: () => GenerationJob,
): Promise<object> {
  const lifetime = context.lifetimes.open(reply.raw);
  const leave = context.admission.enter(count);
  // Not before the client has everything: what it has not read yet takes memory too.
  reply.raw.once('close', leave);
  const { choices, format } = prepare();
  const observer = context.metrics.request(lifetime.startedAt);
  request.observer = observer;
  const events = runChoices(context.engine, choices, lifetime, observer);
  const { n, stream } = body;
  if (!stream) return wholeAnswer(events, format, n);
  const includeUsage = body.stream_options?.include_usage === true;
  const failure = await streamAnswer(reply, events, format, { n, includeUsage, stallMs: context.stallMs });
  if (failure !== undefined) {
    lifetime.end('client gone');
    const { status, cause } = toApiError(failure);
    if (status >= 500 && lifetime.reason === 'failure')
      request.log.error({ err: cause ?? failure }, 'generation failed');
  }
  return reply;
}
