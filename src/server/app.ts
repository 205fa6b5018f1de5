import cors from '@fastify/cors';
import Fastify, {
  LogController,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify';
import type { ServingContext } from '../serving/context.js';
import { ApiError, toApiError } from '../serving/errors.js';
import { errorBody, failureOf } from '../serving/failure.js';
import { unserved } from '../serving/http/unserved.js';
import type { AllowedHosts } from './http/allowed-hosts.js';
import type { ApiKeys } from './http/api-keys.js';
import { answerHalfClosed } from './http/connection.js';
import { answerMalformed } from './http/malformed.js';
import { parseJsonBody } from '../serving/http/json-body.js';
import { requestId, traceParent } from '../serving/http/request-id.js';
import type { RequestLog } from './http/request-log.js';
import { apiRoutes } from '../serving/routes/index.js';
import type { KeptRequests } from '../serving/kept-requests.js';
import { keepRequests } from './durable.js';
import { type Connections, routesOf } from './exchange.js';
import type { Metrics } from './metrics.js';
import { pageRoutes } from './page/routes.js';

/** How long a client may take to send its request. */
const RECEIVE_MS = 60_000;

export interface AppOptions extends Connections {
  readonly keys: ApiKeys;
  readonly hosts: AllowedHosts;
  readonly corsOrigins: readonly string[];
  readonly bodyLimit: number;
  /** After so long without a byte either way a connection is closed. */
  readonly idleMs: number;
  readonly logger: FastifyServerOptions['logger'];
  readonly requestLog: RequestLog;
  readonly metrics: Metrics;
  readonly draining: () => boolean;
  readonly kept: KeptRequests | undefined;
  /** Whether there is a page at `/`. */
  readonly page: boolean;
  /** How long a connection may be without a request; Node's default when absent. */
  readonly connectionIdleMs?: number;
}

/** Puts hooks, parser, errors and routes together. */
export async function createApp(context: ServingContext, options: AppOptions): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify({
    logger: options.logger,
    bodyLimit: options.bodyLimit,
    requestTimeout: RECEIVE_MS,
    connectionTimeout: options.idleMs,
    ...(options.connectionIdleMs === undefined ? {} : { keepAliveTimeout: options.connectionIdleMs }),
    // There is one line a request, in `logRequests`.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: ({ headers }) => requestId(headers['x-request-id']),
    // Answered by the hook below, in the API's words.
    return503OnClosing: false,
    frameworkErrors: (error, _request, reply) => void sendError(reply, toApiError(error)),
    clientErrorHandler: answerMalformed,
  });
  answerHalfClosed(app.server);
  options.requestLog.watch(app);
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    const trace = traceParent(request.headers.traceparent);
    if (trace !== undefined) void reply.header('traceparent', trace);
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
    const authorization = request.headers.authorization ?? bearer(request.headers['x-api-key']);
    // A browser that asks for the page shall ask its user for the key.
    if (request.routeOptions.url === '/health') done();
    else done(options.keys.check(authorization, request.routeOptions.url === '/'));
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
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (_request: FastifyRequest, body: Buffer) => {
      const { value, error } = await parseJsonBody(body);
      if (error !== undefined) throw error;
      return value;
    },
  );
  app.setErrorHandler((error, request, reply) => {
    const known = failureOf(error, request.lifetime);
    // The rest of a body that is too large is passed over: a connection closed before its client has sent all of it
    // breaks, and the answer with it.
    if (known.status === 413) void reply.removeHeader('connection');
    if (known.status >= 500 && known.cause !== undefined) request.log.error({ err: known.cause }, 'request failed');
    return sendError(reply, known);
  });
  answerUnknownRoutes(app);

  if (options.kept !== undefined) keepRequests(app, options.kept, context.responses);
  apiRoutes(routesOf(app, options), context);
  app.get('/metrics', async (_request, reply) => {
    const { registry } = options.metrics;
    return reply.type(registry.contentType).send(await registry.metrics());
  });
  if (options.page) pageRoutes(app);
  await app.ready();
  return app;
}

function sendError(reply: FastifyReply, error: ApiError): FastifyReply {
  reply.request.refusal = error;
  const body = errorBody(error, reply.request.routeOptions.url);
  return reply.code(error.status).headers(error.headers).send(body);
}

/** A key as Anthropic's clients send it. */
function bearer(key: string | string[] | undefined): string | undefined {
  return typeof key === 'string' ? `Bearer ${key}` : undefined;
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
    return sendError(reply, unserved(methods.get(path)));
  });
}
