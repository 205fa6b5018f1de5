import { setMaxListeners } from 'node:events';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Exchange, Handler, Routes } from '../serving/http/exchange.js';
import { Lifetimes, type Lifetime } from '../serving/http/lifetime.js';
import type { RequestObserver } from '../serving/observer.js';
import { onClosed } from './http/connection.js';
import { SocketDelivery } from './http/socket-delivery.js';

/** How requests over sockets live. */
export interface Connections {
  readonly lifetimes: Lifetimes;
  /** How long a reader may take nothing before it is cut off. */
  readonly stallMs: number;
}

/** @param limitMs longest time for a request, from its head to the end of its answer */
export function socketLifetimes(limitMs: number): Lifetimes {
  // Each choice of a request listens; many are no leak.
  return new Lifetimes(limitMs, ({ signal }) => setMaxListeners(0, signal));
}

/** Puts routes into Fastify's hands. */
export function routesOf(app: FastifyInstance, connections: Connections): Routes {
  const answering =
    (handler: Handler) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> =>
      // What has been delivered is out of Fastify's hands.
      (await handler(new SocketExchange(request, reply, connections))) ?? reply;
  return {
    get: (path, handler) => void app.get(path, answering(handler)),
    post: (path, handler) => void app.post(path, answering(handler)),
    delete: (path, handler) => void app.delete(path, answering(handler)),
  };
}

/** A request that came over a socket. */
class SocketExchange implements Exchange {
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  readonly #connections: Connections;

  constructor(request: FastifyRequest, reply: FastifyReply, connections: Connections) {
    this.#request = request;
    this.#reply = reply;
    this.#connections = connections;
  }

  get id(): string {
    return this.#request.id;
  }

  get body(): unknown {
    return this.#request.body;
  }

  get params(): Exchange['params'] {
    return this.#request.params as Exchange['params'];
  }

  get query(): Exchange['query'] {
    return this.#request.query as Exchange['query'];
  }

  get kept(): Exchange['kept'] {
    return this.#request.kept;
  }

  set observer(observer: RequestObserver) {
    this.#request.observer = observer;
  }

  header(name: string, value: string): void {
    void this.#reply.header(name, value);
  }

  open(): Lifetime {
    const { raw: request } = this.#request;
    const { raw: response } = this.#reply;
    const lifetime = this.#connections.lifetimes.open({
      get finished() {
        return response.writableFinished;
      },
      onClosed: (callback) => onClosed(request, response, callback),
    });
    this.#request.lifetime = lifetime;
    return lifetime;
  }

  deliver(lifetime: Lifetime): SocketDelivery {
    return new SocketDelivery(this.#reply, lifetime, this.#connections.stallMs);
  }

  failed(cause: unknown): void {
    this.#request.log.error({ err: cause }, 'generation failed');
  }
}
