import type { Delivery } from './delivery.js';
import type { Lifetime } from './lifetime.js';
import type { AnswerInHand } from '../kept-requests.js';
import type { RequestObserver } from '../observer.js';

/** A request while it is answered, whether it came over a socket or from a page's own `fetch`. */
export interface Exchange {
  /** What its client and the log know it by. */
  readonly id: string;
  /** Its JSON; undefined where it has none. */
  readonly body: unknown;
  /** What stands in its path for `:name` and `*`. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | string[] | undefined>>;
  /** Set where others could go on with its answer, or have begun it. */
  readonly kept?: AnswerInHand;
  /** What its choices come to, for the log. */
  observer?: RequestObserver;
  /** Puts a header into the head of the answer, which is not out yet. */
  header(name: string, value: string): void;
  /** Begins its life, to be ended when its client leaves or its time is up. */
  open(): Lifetime;
  /** Where its answer goes, piece by piece. */
  deliver(lifetime: Lifetime): Delivery;
  /** Notes what went wrong after the head was out. */
  failed(cause: unknown): void;
}

/**
 * Answers a request.
 *
 * @returns what is sent as JSON; undefined where the answer has been delivered
 * @throws whatever `toApiError` knows
 */
export type Handler = (exchange: Exchange) => unknown;

/** Where handlers are put, by method and path: `/v1/models/*`, `/v1/requests/:id`. */
export interface Routes {
  get(path: string, handler: Handler): void;
  post(path: string, handler: Handler): void;
  delete(path: string, handler: Handler): void;
}
