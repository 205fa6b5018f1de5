import type { FastifyInstance } from 'fastify';
import { RidgepointError } from '../errors.js';
import { ApiError } from '../serving/errors.js';
import type { KeptConversation, KeptRequest, KeptRequests } from '../serving/kept-requests.js';
import type { ResponsesStore } from '../serving/responses-store.js';
import { onClosed } from './http/connection.js';

/** The endpoints whose answers follow from what is kept of the request. */
const KEPT: readonly (string | undefined)[] = [
  '/v1/completions',
  '/v1/chat/completions',
  '/v1/responses',
  '/v1/messages',
];

/** Has requests kept before anything is done for them, with all that their answers depend on. */
export function keepRequests(app: FastifyInstance, kept: KeptRequests, responses: ResponsesStore): void {
  app.addHook('preHandler', async (request, reply) => {
    const { url: path } = request.routeOptions;
    const { id, body } = request;
    if (path === undefined || !KEPT.includes(path) || typeof body !== 'object' || body === null) return;
    const asked = body as { seed?: unknown; readonly previous_response_id?: unknown };
    // Whoever answers it instead draws the same.
    asked.seed ??= Math.floor(Math.random() * 2 ** 32);
    const [answerId, created] = [crypto.randomUUID(), Math.floor(Date.now() / 1000)];
    const previous = conversationOf(asked.previous_response_id, responses);
    const filed: KeptRequest = { path, body: asWhole(asked), answerId, created, previous };
    let isNew: boolean;
    try {
      isNew = await kept.accept(id, filed);
    } catch (cause) {
      throw notKept(cause);
    }
    if (!isNew) {
      throw new ApiError(409, `a request of this x-request-id is there already; ask GET /v1/requests/${id} for it`, {
        code: 'request_known',
      });
    }
    const got = (choice: number, ids: readonly number[]): void => kept.got(id, choice, ids);
    request.kept = { answerId, created, resume: () => [], got };
    onClosed(request.raw, reply.raw, () => {
      // What this server did not finish because it had to end, another one does.
      if (request.lifetime?.reason !== 'shutdown') void kept.done(id);
    });
  });
}

function notKept(cause: unknown): ApiError {
  const known = cause instanceof RidgepointError ? cause : undefined;
  // Asking again is of no use.
  if (known?.code === 'usage') return new ApiError(413, known.message, { code: 'request_too_large' });
  const why = known?.message ?? 'the NATS server cannot be reached';
  const headers = { 'retry-after': '1' };
  return new ApiError(503, `the request cannot be kept, as --durable promises: ${why}`, {
    ...{ code: 'not_durable', headers, cause },
  });
}

/** What a response that only this server knows has in it, for whoever answers instead. */
function conversationOf(id: unknown, responses: ResponsesStore): KeptConversation | undefined {
  const stored = typeof id === 'string' ? responses.get(id) : undefined;
  return stored && { id: id as string, messages: stored.messages };
}

/** The request for the same answer in one piece. */
function asWhole(body: object): object {
  const rest: Record<string, unknown> = { ...body };
  delete rest.stream;
  delete rest.stream_options;
  return rest;
}
