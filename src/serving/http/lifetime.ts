import type { ServerResponse } from 'node:http';
import { ApiError } from '../errors.js';

/** Why a request ended before its work was done. */
export type EndReason = 'client gone' | 'time limit' | 'shutdown' | 'failure';

/** The life of one request: `signal` is aborted when its client leaves, its time is up, or the server must stop. */
export class Lifetime {
  readonly startedAt = performance.now();
  readonly #aborter = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #reason: EndReason | undefined;

  constructor(
    response: ServerResponse,
    private readonly limitMs: number,
    private readonly closed: (lifetime: Lifetime) => void,
  ) {
    this.#timer = setTimeout(() => this.end('time limit'), limitMs);
    response.once('close', () => {
      if (!response.writableFinished) this.end('client gone');
      this.close();
    });
    if (response.destroyed) this.end('client gone');
  }

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  get reason(): EndReason | undefined {
    return this.#reason;
  }

  end(reason: EndReason): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#aborter.abort();
  }

  /** Called when the answer is out, or never will be. */
  close(): void {
    clearTimeout(this.#timer);
    this.closed(this);
  }

  /** What the client is told, where it is still there to be told. */
  error(): ApiError {
    switch (this.#reason) {
      case 'time limit':
        return new ApiError(504, `the request took longer than this server's limit of ${this.limitMs / 1000} s`, {
          code: 'request_timeout',
          // Asking again would take as long again.
          headers: { 'x-should-retry': 'false' },
        });
      case 'client gone':
        return new ApiError(499, 'the client closed the request');
      default:
        return new ApiError(503, 'the server is shutting down', { code: 'server_shutdown' });
    }
  }
}

/** All requests that are being answered. */
export class Lifetimes {
  readonly #open = new Set<Lifetime>();

  constructor(private readonly limitMs: number) {}

  open(response: ServerResponse): Lifetime {
    const lifetime = new Lifetime(response, this.limitMs, (closed) => this.#open.delete(closed));
    if (!response.destroyed) this.#open.add(lifetime);
    return lifetime;
  }

  endAll(reason: EndReason): void {
    for (const lifetime of [...this.#open]) lifetime.end(reason);
  }
}
