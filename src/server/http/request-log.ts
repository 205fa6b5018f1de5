import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RequestRoute } from '../../engine/api.js';
import type { ApiError } from '../../serving/errors.js';
import type { AnswerInHand } from '../../serving/kept-requests.js';
import type { RequestObserver } from '../../serving/observer.js';
import type { Metrics } from '../metrics.js';
import { onClosed } from './connection.js';
import { traceParent } from '../../serving/http/request-id.js';
import type { Lifetime } from '../../serving/http/lifetime.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set where another process could go on with its answer. */
    kept?: AnswerInHand;
    /** How long it may take, and why it ended where it did before its answer was out. */
    lifetime?: Lifetime;
    /** What a request that generates has come to. */
    observer?: RequestObserver;
    /** What it was answered with where it was refused, or failed. */
    refusal?: ApiError;
  }
}

/** How long a line waits for the choices of a request that was ended, in milliseconds: a step of the engine's. */
const SETTLE_MS = 5000;

/** One line for each request when its connection is done with it, and no text of anybody's. */
export class RequestLog {
  /** Lines that wait for their choices. */
  readonly #waiting = new Set<Promise<void>>();
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  watch(app: FastifyInstance): void {
    app.decorateRequest('kept', undefined);
    app.decorateRequest('lifetime', undefined);
    app.decorateRequest('observer', undefined);
    app.decorateRequest('refusal', undefined);
    app.addHook('onRequest', (request, reply, done) => {
      const startedAt = performance.now();
      // A connection that is closed has no address any more.
      const client = request.ip;
      onClosed(request.raw, reply.raw, () => this.#closed(request, reply, startedAt, client));
      done();
    });
  }

  /** Resolves when every request that is closed has its line. */
  async written(): Promise<void> {
    await Promise.all(this.#waiting);
  }

  #closed(request: FastifyRequest, reply: FastifyReply, startedAt: number, client: string): void {
    const ms = Math.round(performance.now() - startedAt);
    const route = request.routeOptions.url ?? 'unknown';
    const status = statusOf(request, reply);
    this.#metrics.response(route, status);
    // What its choices had cost is known when the engine has let go of them.
    const line = settled(request.observer).then(() => {
      this.#waiting.delete(line);
      request.log.info(
        {
          method: request.method,
          route,
          status,
          ms,
          client,
          ...traced(request),
          ...cut(request, reply),
          ...(request.refusal && refused(request.refusal)),
          ...(request.observer && generated(request.observer)),
        },
        'request',
      );
    });
    this.#waiting.add(line);
  }
}

/** What became of a request; of an answer that was cut short, not the status that its head had promised. */
function statusOf({ lifetime, refusal }: FastifyRequest, { raw }: FastifyReply): number {
  if (raw.writableFinished && refusal !== undefined) return raw.statusCode;
  return lifetime?.status ?? (raw.writableFinished ? raw.statusCode : 499);
}

/** Why an answer that had begun did not come to its end. */
function cut({ lifetime }: FastifyRequest, { raw }: FastifyReply): object {
  const reason = lifetime?.reason;
  return reason !== undefined && raw.headersSent && raw.statusCode === 200 ? { cut: reason } : {};
}

function traced({ headers }: FastifyRequest): object {
  const trace = traceParent(headers.traceparent);
  return trace === undefined ? {} : { traceparent: trace };
}

async function settled(observer: RequestObserver | undefined): Promise<void> {
  if (observer === undefined) return;
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => (timer = setTimeout(resolve, SETTLE_MS).unref()));
  await Promise.race([observer.settled(), enough]);
  clearTimeout(timer);
}

/** Not the message, which may quote the request. */
function refused({ code, type, param }: ApiError): object {
  return { error: code ?? type, ...(param === null ? {} : { param }) };
}

function generated({ results }: RequestObserver): object {
  if (results.length === 0) return {};
  return {
    choices: results.map(({ promptIds, ids, finishReason, ttftMs, tpotMs, route }) => ({
      promptTokens: promptIds.length,
      completionTokens: ids.length,
      finishReason,
      ttftMs: Math.round(ttftMs),
      tpotMs: tpotMs === undefined ? undefined : Math.round(tpotMs * 10) / 10,
      ...(route && routed(route)),
    })),
  };
}

/** Who of a cluster answered. */
function routed({ prefillWorker, decodeWorker, kvBytes, kvMs, attempts }: RequestRoute): object {
  return {
    ...{ prefill_worker: prefillWorker, decode_worker: decodeWorker },
    ...{ kv_bytes: kvBytes, kv_ms: Math.round(kvMs), attempts },
  };
}
