import { config } from 'zod';
import { admissionOf, createContext, modelsOf, type ApiOptions } from './context.js';
import { bodyNotJson, bodyTooLarge, type ApiError } from './errors.js';
import { errorBody, failureOf } from './failure.js';
import { FetchExchange } from './http/fetch-exchange.js';
import { parseJsonBody } from './http/json-body.js';
import { Lifetimes } from './http/lifetime.js';
import { requestId } from './http/request-id.js';
import { RouteTable } from './http/route-table.js';
import { unserved } from './http/unserved.js';
import type { AnswerInHand } from './kept-requests.js';
import { UNCOUNTED } from './observer.js';
import { apiRoutes } from './routes/index.js';

export interface FetchOptions extends ApiOptions {
  /** Largest request body, in bytes; default 4 MiB. */
  readonly bodyLimit?: number;
  /** Longest time for a request; default 600 s. */
  readonly requestTimeoutMs?: number;
}

/** The part of `fetch` that clients need. @param kept of a request that somebody else has left */
export type ApiFetch = (request: Request, kept?: AnswerInHand) => Promise<Response>;

/**
 * The API of `ridgepoint serve` without a server: what clients take as their `fetch`. Of a request's address only the
 * path counts. What would be a server's business is not here: keys, hosts, metrics, a page.
 *
 * @returns answers a request as the server would; rejects with the signal's reason where that aborts it
 */
export function createFetch(options: FetchOptions): ApiFetch {
  // A page's content security policy may forbid code made of text, and would complain of the attempt.
  config({ jitless: true });
  const told = { models: modelsOf(options), admission: admissionOf(options), keepAliveMs: 0 };
  const context = createContext(options, { metrics: UNCOUNTED, expected: UNCOUNTED }, told);
  const lifetimes = new Lifetimes(options.requestTimeoutMs ?? 600_000);
  const table = new RouteTable();
  apiRoutes(table, context);
  const bodyLimit = options.bodyLimit ?? 4 * 2 ** 20;
  return async (request, kept) => {
    request.signal.throwIfAborted();
    const { pathname, searchParams } = new URL(request.url);
    const id = requestId(request.headers.get('x-request-id'));
    const exchange = new FetchExchange(request, { id, kept, query: queryOf(searchParams) }, lifetimes);
    const answer = (status: number, body: object, headers: Readonly<Record<string, string>> = {}): Response =>
      Response.json(body, { status, headers: { ...exchange.headers, ...headers } });
    try {
      const found = table.find(request.method, pathname);
      if ('allowed' in found) throw unserved(found.allowed);
      exchange.params = found.params;
      if (request.method === 'POST') exchange.body = await bodyOf(request, bodyLimit);
      const handled = Promise.resolve(found.handler(exchange));
      // What is streamed goes on after its head.
      const first = await Promise.race([exchange.begun, handled]);
      if (first instanceof Response) {
        handled.catch(() => undefined);
        return first;
      }
      const whole = answer(200, first as object);
      exchange.close(true);
      return whole;
    } catch (error) {
      exchange.close(false);
      request.signal.throwIfAborted();
      const known: ApiError = failureOf(error, exchange.lifetime);
      return answer(known.status, errorBody(known, pathname), known.headers);
    }
  };
}

/** @throws ApiError 400, 413 or 415 as the server */
async function bodyOf(request: Request, limit: number): Promise<unknown> {
  const type = request.headers.get('content-type');
  if (type !== null && !/^application\/json\s*(;|$)/i.test(type)) throw bodyNotJson();
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.length > limit) throw bodyTooLarge();
  if (type === null) {
    if (bytes.length > 0) throw bodyNotJson();
    return undefined;
  }
  const { value, error } = await parseJsonBody(bytes);
  if (error !== undefined) throw error;
  return value;
}

/** A name that is given twice has a list. */
function queryOf(parameters: URLSearchParams): Record<string, string | string[]> {
  const names = [...new Set(parameters.keys())];
  return Object.fromEntries(
    names.map((name) => {
      const values = parameters.getAll(name);
      return [name, values.length === 1 ? values[0] : values];
    }),
  );
}
