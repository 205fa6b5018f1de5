import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AnswerFormat } from '../answer.js';
import { sendWhole, streamAnswer, wholeAnswer } from '../answer.js';
import { runChoices, type Choice } from '../choices.js';
import type { ServingContext } from '../context.js';
import { toApiError } from '../errors.js';
import { Delivery, ReaderGone } from '../http/delivery.js';
import type { Lifetime } from '../http/lifetime.js';
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
 */
export async function generate(
  context: ServingContext,
  request: FastifyRequest,
  reply: FastifyReply,
  body: Pick<GenerationRequest, 'n' | 'stream' | 'stream_options'>,
  count: number,
  prepare: (lifetime: Lifetime) => Promise<GenerationJob>,
): Promise<FastifyReply> {
  const lifetime = context.lifetimes.open(request.raw, reply.raw);
  request.lifetime = lifetime;
  const leave = context.admission.enter(count);
  // Not before the client has everything: what it has not read yet takes memory too.
  lifetime.onClosed(leave);
  const { choices, format } = await prepare(lifetime);
  lifetime.throwIfEnded();
  const observer = context.metrics.request(lifetime.startedAt);
  request.observer = observer;
  const events = await runChoices(context.engine, choices, lifetime, observer);
  const { n, stream } = body;
  const delivery = new Delivery(reply.raw, lifetime, context.stallMs);
  let failure: unknown;
  if (stream) {
    const includeUsage = body.stream_options?.include_usage === true;
    const { keepAliveMs } = context;
    failure = await streamAnswer(reply, events, format, delivery, { n, includeUsage, keepAliveMs });
  } else failure = await sendWhole(reply, await wholeAnswer(events, format, n), delivery);
  if (failure !== undefined) {
    lifetime.end(failure instanceof ReaderGone ? 'client gone' : 'failure');
    const { status, cause } = toApiError(failure);
    if (status >= 500 && lifetime.reason === 'failure') {
      request.log.error({ err: cause ?? failure }, 'generation failed');
    }
  }
  return reply;
}
