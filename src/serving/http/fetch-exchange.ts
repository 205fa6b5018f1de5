import type { AnswerInHand } from '../kept-requests.js';
import type { RequestObserver } from '../observer.js';
import { type Delivery, type Headers, ReaderGone } from './delivery.js';
import type { Exchange } from './exchange.js';
import type { Connection, Lifetime, Lifetimes } from './lifetime.js';

/** Characters that wait for a reader of a stream before more are written. */
const AHEAD = 64 * 1024;

/** A request that is answered within this thread. */
export class FetchExchange implements Exchange, Connection {
  readonly id: string;
  readonly query: Exchange['query'];
  readonly headers: Record<string, string>;
  body: unknown;
  params: Exchange['params'] = {};
  readonly kept: AnswerInHand | undefined;
  observer?: RequestObserver;
  lifetime: Lifetime | undefined;
  /** Resolves when the head of an answer is there that is delivered piece by piece. */
  readonly begun: Promise<Response>;
  #begin: (response: Response) => void = () => undefined;
  #closed = false;
  #finished = false;
  readonly #wishes = new Set<() => void>();
  readonly #signal: AbortSignal;
  readonly #lifetimes: Lifetimes;

  constructor(request: Request, told: Pick<Exchange, 'id' | 'query' | 'kept'>, lifetimes: Lifetimes) {
    this.id = told.id;
    this.query = told.query;
    this.kept = told.kept;
    this.headers = { 'x-request-id': told.id };
    this.#signal = request.signal;
    this.#lifetimes = lifetimes;
    this.begun = new Promise((resolve) => (this.#begin = resolve));
    this.#signal.addEventListener('abort', this.#leave, { once: true });
  }

  get finished(): boolean {
    return this.#finished;
  }

  header(name: string, value: string): void {
    this.headers[name] = value;
  }

  open(): Lifetime {
    return (this.lifetime = this.#lifetimes.open(this));
  }

  deliver(lifetime: Lifetime): Delivery {
    const begin = (stream: ReadableStream<Uint8Array>, headers: Headers): void =>
      this.#begin(new Response(stream, { headers: { ...this.headers, ...headers } }));
    return new StreamDelivery(lifetime, this.#signal, begin, (finished) => this.close(finished));
  }

  /** What its reader sees is all that there is to know. */
  failed(): void {
    return undefined;
  }

  onClosed(callback: () => void): () => void {
    if (this.#closed) {
      queueMicrotask(callback);
      return () => undefined;
    }
    this.#wishes.add(callback);
    return () => void this.#wishes.delete(callback);
  }

  /** It is done with. @param finished whether all of the answer is out */
  close(finished: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#finished = finished;
    this.#signal.removeEventListener('abort', this.#leave);
    const wishes = [...this.#wishes];
    this.#wishes.clear();
    for (const callback of wishes) callback();
  }

  readonly #leave = (): void => this.close(false);
}

/** An answer as a stream that its reader takes in its own time. */
class StreamDelivery implements Delivery {
  readonly #encoder = new TextEncoder();
  readonly #lifetime: Lifetime;
  readonly #signal: AbortSignal;
  readonly #begin: (stream: ReadableStream<Uint8Array>, headers: Headers) => void;
  readonly #close: (finished: boolean) => void;
  #control: ReadableStreamDefaultController<Uint8Array> | undefined;
  #pulled: () => void = () => undefined;

  constructor(
    lifetime: Lifetime,
    signal: AbortSignal,
    begin: (stream: ReadableStream<Uint8Array>, headers: Headers) => void,
    close: (finished: boolean) => void,
  ) {
    this.#lifetime = lifetime;
    this.#signal = signal;
    this.#begin = begin;
    this.#close = close;
  }

  head(headers: Headers): void {
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (control) => void (this.#control = control),
        pull: () => this.#pulled(),
        cancel: () => this.#gone(),
      },
      { highWaterMark: AHEAD, size: (piece) => piece?.byteLength ?? 0 },
    );
    this.#signal.addEventListener('abort', this.#aborted, { once: true });
    this.#begin(stream, headers);
  }

  write(text: string): Promise<void> {
    return this.put(text) ?? Promise.resolve();
  }

  put(text: string): Promise<void> | undefined {
    this.assertGoing();
    const control = this.#control!;
    control.enqueue(this.#encoder.encode(text));
    return (control.desiredSize ?? 0) > 0 ? undefined : this.#taken();
  }

  murmur(): void {
    return undefined; // Nobody in between could take the silence for an end.
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async end(text?: string): Promise<void> {
    this.assertGoing();
    if (text) this.#control!.enqueue(this.#encoder.encode(text));
    this.#control!.close();
    this.#done(true);
  }

  breakOff(words?: string): Promise<void> {
    if (!this.#lifetime.closed) {
      if (words === undefined) this.#control?.error(new TypeError('the answer was cut short'));
      else {
        this.#control?.enqueue(this.#encoder.encode(words));
        this.#control?.close();
      }
    }
    this.#done(words !== undefined);
    return Promise.resolve();
  }

  assertGoing(): void {
    if (this.#lifetime.closed) throw new ReaderGone('the reader has left');
    if (this.#lifetime.reason !== undefined) throw this.#lifetime.error();
  }

  async #taken(): Promise<void> {
    const { signal } = this.#lifetime;
    const pulled = new Promise<void>((resolve) => (this.#pulled = resolve));
    signal.addEventListener('abort', this.#pulled, { once: true });
    const { aborted } = signal;
    if (!aborted) await pulled;
    signal.removeEventListener('abort', this.#pulled);
    this.assertGoing();
  }

  readonly #aborted = (): void => {
    this.#control?.error(this.#signal.reason);
    this.#gone();
  };

  #gone(): void {
    this.#done(false);
    this.#pulled();
  }

  #done(finished: boolean): void {
    this.#signal.removeEventListener('abort', this.#aborted);
    this.#close(finished);
  }
}
