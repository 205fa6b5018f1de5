import type { FastifyInstance } from 'fastify';
import type { ApiError } from '../errors.js';
import type { Metrics, RequestObserver } from '../metrics.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What a request that generates has come to. */
    observer?: RequestObserver;
    /** What it was answered with where it was refused, or failed. */
    refusal?: ApiError;
  }
}

/** One line for each request when its connection is done with it, and no text of anybody's. */
export function logRequests(app: FastifyInstance, metrics: Metrics): void {
  app.decorateRequest('observer', undefined);
  app.decorateRequest('refusal', undefined);
  app.addHook('onRequest', async (request, reply) => {
    const startedAt = performance.now();
    reply.raw.once('close', () => {
      const status = reply.raw.writableFinished ? reply.raw.statusCode : 499;
      const route = request.routeOptions.url ?? 'unknown';
      metrics.response(route, status);
      request.log.info(
        {
          method: request.method,
          route,
          status,
          ms: Math.round(performance.now() - startedAt),
          client: request.ip,
          ...(request.refusal && refused(request.refusal)),
          ...(request.observer && generated(request.observer)),
        },
        'request',
      );
    });
  });
}

/** Not the message, which may quote the request. */
function refused({ code, type, param }: ApiError): object {
  return { error: code ?? type, ...(param === null ? {} : { param }) };
}

function generated({ results }: RequestObserver): object {
  if (results.length === 0) return {};
  return {
    choices: results.map(({ promptIds, ids, finishReason, ttftMs, tpotMs }) => ({
      promptTokens: promptIds.length,
      completionTokens: ids.length,
      finishReason,
      ttftMs: Math.round(ttftMs),
      tpotMs: tpotMs === undefined ? undefined : Math.round(tpotMs * 10) / 10,
    })),
  };
}
