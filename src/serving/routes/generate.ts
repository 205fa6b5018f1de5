import type { Slo } from '../../outlook/promises.js';
import type { AnswerFormat } from '../answer.js';
import { sendWhole, streamAnswer, wholeAnswer } from '../answer.js';
import { runChoices, type Choice } from '../choices.js';
import type { ServingContext } from '../context.js';
import { badRequest, toApiError } from '../errors.js';
import { ReaderGone } from '../http/delivery.js';
import type { Exchange } from '../http/exchange.js';
import type { Lifetime } from '../http/lifetime.js';
import { timedFormat } from '../outlook/timed-format.js';
import type { GenerationRequest } from '../schema/generation.js';

/** A request that has been read, and what turns it into prompts and options. */
export interface ReadRequest {
  readonly body: Pick<GenerationRequest, 'n' | 'stream' | 'stream_options' | 'timings' | 'ttft_slo_ms' | 'itl_slo_ms'>;
  /** Choices of the request. */
  readonly count: number;
  /** Called once it has its place. */
  readonly prepare: (lifetime: Lifetime) => Promise<GenerationJob>;
}

export interface GenerationJob {
  readonly choices: readonly Choice[];
  readonly format: AnswerFormat;
}

/** The way of every request that generates: a place in the queue, the engine, the answer. */
export async function generate(
  context: ServingContext,
  exchange: Exchange,
  { body, count, prepare }: ReadRequest,
): Promise<void> {
  assertWrites(context);
  assertForeseen(context, body);
  const lifetime = exchange.open();
  const leave = context.admission.enter(count);
  // Not before the client has everything: what it has not read yet takes memory too.
  lifetime.onClosed(leave);
  const { choices: wanted, format: plain } = await prepare(lifetime);
  const { kept } = exchange;
  const choices = kept === undefined ? wanted : wanted.map((choice, index) => resumed(choice, kept.resume(index)));
  lifetime.throwIfEnded();
  const visit = context.outlook?.visit(exchange.id, lifetime.startedAt);
  await visit?.enter(choices, sloOf(body), lifetime);
  const observer = context.metrics.request(lifetime.startedAt);
  exchange.observer = observer;
  const events = await runChoices(context.engine, choices, lifetime, observer, {
    started: (index, { sequence }) => {
      if (sequence !== undefined) visit?.started(index, sequence, body.timings === true);
    },
    got: (index, ids) => {
      if (kept !== undefined && isResumable(choices[index])) kept.got(index, ids);
    },
  });
  const format =
    visit === undefined
      ? plain
      : timedFormat(plain, visit, body.timings === true, (id) => context.outlook?.call(id, visit));
  const { n, stream } = body;
  const delivery = exchange.deliver(lifetime);
  let failure: unknown;
  if (stream) {
    const includeUsage = body.stream_options?.include_usage === true;
    const { keepAliveMs } = context;
    failure = await streamAnswer(events, format, delivery, { n, includeUsage, keepAliveMs });
  } else failure = await sendWhole(await wholeAnswer(events, format, n), delivery);
  if (failure !== undefined) {
    lifetime.end(failure instanceof ReaderGone ? 'client gone' : 'failure');
    const { status, cause } = toApiError(failure);
    if (status >= 500 && lifetime.reason === 'failure') exchange.failed(cause ?? failure);
  }
}

/** Log-probabilities of ids that were there before are nowhere any more. */
const isResumable = ({ options }: Choice): boolean => options.logprobs === undefined;

/** A choice that goes on from ids that it had. */
function resumed(choice: Choice, ids: readonly number[]): Choice {
  if (ids.length === 0 || !isResumable(choice)) return choice;
  return { ...choice, options: { ...choice.options, resume: ids } };
}

/** @throws ApiError (400) where the model has no head, before its template or anything else is looked at */
function assertWrites({ engine }: ServingContext): void {
  if (engine.whyNoText !== undefined) throw badRequest(engine.whyNoText, 'model', 'generation_not_supported');
}

/** @throws ApiError (400) for a wish that takes an engine that tells of its scheduling, where this one does not */
function assertForeseen({ outlook }: ServingContext, body: ReadRequest['body']): void {
  if (outlook !== undefined) return;
  for (const field of ['ttft_slo_ms', 'itl_slo_ms', 'timings'] as const) {
    if (body[field] === undefined || body[field] === false) continue;
    throw badRequest(`${field}: this server does not look ahead, since its prompts are computed elsewhere`, field);
  }
}

/** What a request wants promised. */
function sloOf({ ttft_slo_ms, itl_slo_ms }: Pick<GenerationRequest, 'ttft_slo_ms' | 'itl_slo_ms'>): Slo {
  return {
    ...(ttft_slo_ms === undefined ? {} : { ttftMs: ttft_slo_ms }),
    ...(itl_slo_ms === undefined ? {} : { itlMs: itl_slo_ms }),
  };
}
