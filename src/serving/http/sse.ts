import type { ServerResponse } from 'node:http';
import type { Delivery } from './delivery.js';

export type Headers = Readonly<Record<string, string | number | string[] | undefined>>;

/** Puts the headers that hooks have set before a head of our own. */
export function copyHeaders(headers: Headers, response: ServerResponse): void {
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value);
}

/**
 * A stream of server-sent events. While nothing is sent, a comment now and then keeps proxies from taking the
 * connection for dead.
 */
export class EventStream {
  #silence: NodeJS.Timeout | undefined;

  /** @param keepAliveMs longest silence; 0 allows any */
  constructor(
    private readonly response: ServerResponse,
    private readonly delivery: Delivery,
    private readonly keepAliveMs: number,
  ) {}

  /** Sends the head at once, so that the client knows its request was accepted before the first token is there. */
  open(headers: Headers): void {
    copyHeaders(headers, this.response);
    this.response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      // nginx would otherwise collect tokens before it passes them on
      'x-accel-buffering': 'no',
    });
    this.response.flushHeaders();
    this.#listen();
  }

  /** @throws as `Delivery.write` */
  async send(event: object | '[DONE]'): Promise<void> {
    this.#listen();
    await this.delivery.write(text(event));
  }

  /** @throws as `Delivery.end` */
  async end(event: object | '[DONE]'): Promise<void> {
    this.close();
    await this.delivery.end(text(event));
  }

  /** Ends a stream that was cut short; with an event, if it is taken soon. */
  async breakOff(event?: object): Promise<void> {
    this.close();
    await this.delivery.breakOff(event && text(event));
  }

  /** No more comments. */
  close(): void {
    clearInterval(this.#silence);
    this.#silence = undefined;
  }

  #listen(): void {
    if (this.keepAliveMs === 0) return;
    if (this.#silence !== undefined) this.#silence.refresh();
    else {
      const { response } = this;
      this.#silence = setInterval(() => {
        if (!response.destroyed && !response.writableNeedDrain) response.write(': waiting\n\n');
      }, this.keepAliveMs).unref();
    }
  }
}

const text = (event: object | '[DONE]'): string =>
  `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`;
