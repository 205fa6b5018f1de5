import type { Delivery } from './delivery.js';
import { NamedEvent } from './named-event.js';

/** Characters that go out together at most. */
const FULL = 16 * 1024;

export interface EventStreamOptions {
  /** Longest silence; 0 allows any. */
  readonly keepAliveMs: number;
  /** Events have names, as their `type` says. */
  readonly named?: boolean;
}

/**
 * A stream of server-sent events. While nothing is sent, a comment now and then keeps proxies from taking the
 * connection for dead.
 */
export class EventStream {
  #silence: ReturnType<typeof setInterval> | undefined;
  /** Events that are to go out together. */
  #text = '';
  /** Something was sent since the silence was last listened to. */
  #heard = false;
  readonly #delivery: Delivery;
  readonly #options: EventStreamOptions;

  constructor(delivery: Delivery, options: EventStreamOptions) {
    this.#delivery = delivery;
    this.#options = options;
  }

  /** Sends the head at once, so that the client knows its request was accepted before the first token is there. */
  open(): void {
    this.#delivery.head(
      {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache',
        // nginx would otherwise collect tokens before it passes them on
        'x-accel-buffering': 'no',
      },
      true,
    );
    this.#listen();
  }

  /** Puts an event, several, or the JSON of one to those that go out next. */
  add(events: object | string): void {
    if (typeof events === 'string') this.#text += `data: ${events}\n\n`;
    else if (events instanceof NamedEvent) this.#text += `event: ${events.type}\ndata: ${events.json}\n\n`;
    else if (Array.isArray(events)) for (const event of events as object[]) this.add(event);
    else {
      const name = this.#options.named ? `event: ${(events as { readonly type: string }).type}\n` : '';
      this.#text += `${name}data: ${JSON.stringify(events)}\n\n`;
    }
  }

  get isFull(): boolean {
    return this.#text.length >= FULL;
  }

  /**
   * Sends what was added.
   *
   * @returns resolves when there is room for more; undefined where there is at once
   * @throws as `Delivery.write`
   */
  flush(): Promise<void> | undefined {
    const text = this.#rest();
    if (text === '') return undefined;
    this.#heard = true;
    return this.#delivery.put(text);
  }

  /** Sends the last. @throws as `Delivery.end` */
  async end(): Promise<void> {
    this.close();
    await this.#delivery.end(this.#rest());
  }

  /** Ends a stream that was cut short; with an event, if it is taken soon. */
  async breakOff(event?: object): Promise<void> {
    this.close();
    if (event !== undefined) this.add(event);
    await this.#delivery.breakOff(event && this.#rest());
  }

  /** No more comments. */
  close(): void {
    clearInterval(this.#silence);
    this.#silence = undefined;
  }

  #rest(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }

  /** Looks twice in the longest silence, which is cheaper than to begin anew with each token. */
  #listen(): void {
    const { keepAliveMs } = this.#options;
    if (keepAliveMs === 0) return;
    this.#silence = setInterval(() => {
      if (!this.#heard) this.#delivery.murmur(': waiting\n\n');
      this.#heard = false;
    }, keepAliveMs / 2);
  }
}
