import type { FastifyInstance } from 'fastify';
import { ApiError } from '../serving/errors.js';
import { onClosed } from './http/connection.js';

/** Where accepted requests are kept, so that they outlive this process. */
export interface KeptRequests {
  /** @returns whether it is new @throws Error where it cannot be kept */
  accept(id: string, request: { readonly path: string; readonly body: object }): Promise<boolean>;
  /** Its client has its answer, or has left. */
  done(id: string): Promise<void>;
}

/** The endpoints whose answers follow from the request alone. */
const KEPT: readonly (string | undefined)[] = ['/v1/completions', '/v1/chat/completions'];

/** Has requests kept before anything is done for them, with all that their answers depend on. */
export function keepRequests(app: FastifyInstance, kept: KeptRequests): void {
  app.addHook('preHandler', async (request, reply) => {
    const { url: path } = request.routeOptions;
    const { id, body } = request;
    if (path === undefined || !KEPT.includes(path) || typeof body !== 'object' || body === null) return;
    const asked = body as { seed?: unknown };
    // Whoever answers it instead draws the same.
    asked.seed ??= Math.floor(Math.random() * 2 ** 32);
    let isNew: boolean;
    try {
      isNew = await kept.accept(id, { path, body: asWhole(asked) });
    } catch (cause) {
      throw new ApiError(503, 'the request cannot be kept, as --durable promises: the NATS server cannot be reached', {
        ...{ code: 'not_durable', headers: { 'retry-after': '1' }, cause },
      });
    }
    if (!isNew) {
      throw new ApiError(409, `a request of this x-request-id is there already; ask GET /v1/requests/${id} for it`, {
        code: 'request_known',
      });
    }
    onClosed(request.raw, reply.raw, () => {
      // What this server did not finish because it had to end, another one does.
      if (request.lifetime?.reason !== 'shutdown') void kept.done(id);
    });
  });
}

/** The request for the same answer in one piece. */
function asWhole(body: object): object {
  const rest: Record<string, unknown> = { ...body };
  delete rest.stream;
  delete rest.stream_options;
  return rest;
}
