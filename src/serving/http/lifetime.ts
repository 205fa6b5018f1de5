import { ApiError } from '../errors.js';

/** Why a request ended before its answer was out. */
export type EndReason = 'client gone' | 'stalled' | 'time limit' | 'shutdown' | 'failure';

/** What a request came by, and its answer leaves by. */
export interface Connection {
  /** Whether all of the answer is out. */
  readonly finished: boolean;
  /** Calls back, once, when it is done with: the answer is out, or its reader is gone. @returns takes the wish back */
  onClosed(callback: () => void): () => void;
}

/**
 * The life of one request: `signal` is aborted when its client leaves or takes nothing any more, its time is up, or the
 * server must stop. All of it counts, the delivery of its answer included.
 */
export class Lifetime {
  readonly startedAt = performance.now();
  /** Why the engine could not go on, where it could not. */
  failure: ApiError | undefined;
  readonly #aborter = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  #reason: EndReason | undefined;
  #closed = false;
  readonly #connection: Connection;
  readonly #limitMs: number;

  constructor(connection: Connection, limitMs: number, gone: (lifetime: Lifetime) => void) {
    this.#connection = connection;
    this.#limitMs = limitMs;
    this.#timer = setTimeout(() => this.end('time limit'), limitMs);
    this.onClosed(() => {
      this.#closed = true;
      clearTimeout(this.#timer);
      if (!connection.finished) this.end('client gone');
      gone(this);
    });
  }

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  get reason(): EndReason | undefined {
    return this.#reason;
  }

  /** Whether its answer is out, or never will be. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Calls back, once, when it is closed. @returns takes the wish back */
  onClosed(callback: () => void): () => void {
    if (!this.#closed) return this.#connection.onClosed(callback);
    queueMicrotask(callback);
    return () => undefined;
  }

  end(reason: EndReason): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#aborter.abort();
  }

  /** @throws ApiError where it has ended */
  throwIfEnded(): void {
    if (this.#reason !== undefined) throw this.error();
  }

  /** What became of it, as a status: what its client was told, or would have been. Undefined where it came to its end. */
  get status(): number | undefined {
    return this.#reason === undefined ? undefined : this.error().status;
  }

  /** What the client is told, where it is still there to be told. */
  error(): ApiError {
    switch (this.#reason) {
      case 'time limit':
        return new ApiError(504, `the request took longer than this server's limit of ${this.#limitMs / 1000} s`, {
          code: 'request_timeout',
          // Asking again would take as long again.
          headers: { 'x-should-retry': 'false' },
        });
      case 'client gone':
        return new ApiError(499, 'the client closed the request', { code: 'client_closed_request' });
      case 'stalled':
        return new ApiError(499, 'the client took nothing of its answer for too long', { code: 'stalled' });
      case 'failure':
        return this.failure ?? new ApiError(500, 'the server failed on this request');
      default:
        return new ApiError(503, 'the server is shutting down', { code: 'server_shutdown' });
    }
  }
}

/** All requests that are being answered. */
export class Lifetimes {
  readonly #open = new Set<Lifetime>();
  readonly #limitMs: number;
  readonly #begun: (lifetime: Lifetime) => void;

  /**
   * @param limitMs longest time for a request
   * @param begun told of each
   */
  constructor(limitMs: number, begun: (lifetime: Lifetime) => void = () => undefined) {
    this.#limitMs = limitMs;
    this.#begun = begun;
  }

  open(connection: Connection): Lifetime {
    const lifetime = new Lifetime(connection, this.#limitMs, (closed) => this.#open.delete(closed));
    this.#begun(lifetime);
    if (!lifetime.closed) this.#open.add(lifetime);
    return lifetime;
  }

  endAll(reason: EndReason): void {
    for (const lifetime of [...this.#open]) lifetime.end(reason);
  }
}
