import cors from '@fastify/cors';
import Fastify, { LogController, type FastifyInstance, type FastifyReply, type FastifyServerOptions } from 'fastify';
import type { ServingContext } from './context.js';
import { ApiError, toApiError } from './errors.js';
import type { AllowedHosts } from './http/allowed-hosts.js';
import type { ApiKeys } from './http/api-keys.js';
import { answerHalfClosed } from './http/connection.js';
import { answerMalformed } from './http/malformed.js';
import { parseJsonBody } from './http/json-body.js';
import { requestId } from './http/request-id.js';
import type { RequestLog } from './http/request-log.js';
import { chatRoute } from './routes/chat.js';
import { completionRoute } from './routes/completion.js';
import { modelRoutes } from './routes/models.js';
import { operationRoutes } from './routes/operations.js';
import { tokenRoutes } from './routes/tokens.js';

/** How long a client may take to send its request. */
const RECEIVE_MS = 60_000;

export interface AppOptions {
  readonly keys: ApiKeys;
  readonly hosts: AllowedHosts;
  readonly corsOrigins: readonly string[];
  readonly bodyLimit: number;
  /** After so long without a byte either way a connection is closed. */
  readonly idleMs: number;
  readonly logger: FastifyServerOptions['logger'];
  readonly requestLog: RequestLog;
  readonly draining: () => boolean;
}

/** Puts hooks, parser, errors and routes together. */
export async function createApp(context: ServingContext, options: AppOptions): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify({
    logger: options.logger,
    bodyLimit: options.bodyLimit,
    requestTimeout: RECEIVE_MS,
    connectionTimeout: options.idleMs,
    // There is one line a request, in `logRequests`.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestId,
    // Answered by the hook below, in the API's words.
    return503OnClosing: false,
    frameworkErrors: (error, _request, reply) => void sendError(reply, toApiError(error)),
    clientErrorHandler: answerMalformed,
  });
  answerHalfClosed(app.server);
  options.requestLog.watch(app);
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    if (!options.draining()) return done();
    void reply.header('connection', 'close');
    done(new ApiError(503, 'the server is shutting down', { code: 'server_shutdown' }));
  });
  app.addHook('onRequest', (request, _reply, done) => done(options.hosts.check(request.headers.host)));
  if (options.corsOrigins.length > 0) {
    const origin = options.corsOrigins.includes('*') ? '*' : [...options.corsOrigins];
    await app.register(cors, { origin, exposedHeaders: ['x-request-id', 'retry-after'], maxAge: 600 });
  }
  app.addHook('onRequest', (request, _reply, done) => {
    // A load balancer has no key.
    if (request.routeOptions.url === '/health') done();
    else done(options.keys.check(request.headers.authorization));
  });
  app.addHook('onRequest', (request, _reply, done) => {
    const encoding = request.headers['content-encoding'] ?? 'identity';
    done(encoding === 'identity' ? undefined : compressed());
  });
  app.addHook('onResponse', (_request, _reply, done) => {
    // A connection kept alive would hold up the end until its client lets go.
    if (options.draining()) setImmediate(() => app.server.closeIdleConnections());
    done();
  });

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body: Buffer, done) => {
    const { value, error } = parseJsonBody(body);
    done(error ?? null, value);
  });
  app.setErrorHandler((error, request, reply) => {
    const known = toApiError(error);
    if (known.status >= 500 && known.cause !== undefined) request.log.error({ err: known.cause }, 'request failed');
    return sendError(reply, known);
  });
  answerUnknownRoutes(app);

  modelRoutes(app, context);
  completionRoute(app, context);
  chatRoute(app, context);
  tokenRoutes(app, context);
  operationRoutes(app, context);
  await app.ready();
  return app;
}

function sendError(reply: FastifyReply, error: ApiError): FastifyReply {
  reply.request.refusal = error;
  return reply.code(error.status).headers(error.headers).send(error.body());
}

function compressed(): ApiError {
  return new ApiError(415, 'a compressed body is not taken by this server; send it without content-encoding', {
    code: 'unsupported_encoding',
    headers: { 'accept-encoding': 'identity' },
  });
}

function answerUnknownRoutes(app: FastifyInstance): void {
  const methods = new Map<string, string[]>();
  app.addHook('onRoute', ({ url, method }) => {
    methods.set(url, [...(methods.get(url) ?? []), ...[method].flat()]);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0];
    const allowed = methods.get(path);
    if (allowed === undefined) {
      return sendError(
        reply,
        new ApiError(404, 'there is no such route', { type: 'not_found_error', code: 'unknown_url' }),
      );
    }
    const allow = allowed.join(', ');
    return sendError(reply, new ApiError(405, `this route takes ${allow}`, { headers: { allow } }));
  });
}
