import type { ServerResponse } from 'node:http';

/** The reader of a stream has left, or takes nothing any more. */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone';
}

/**
 * A stream of server-sent events. `send` waits while the socket's buffer is full, so a slow reader holds up whoever
 * writes and nothing piles up in the socket; a reader that takes nothing for `stallMs` is cut off.
 */
export class EventStream {
  constructor(
    private readonly response: ServerResponse,
    private readonly stallMs: number,
  ) {}

  /** Sends the head at once, so that the client knows its request was accepted before the first token is there. */
  open(headers: Readonly<Record<string, string | number | string[] | undefined>>): void {
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) this.response.setHeader(name, value);
    this.response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      // nginx would otherwise collect tokens before it passes them on
      'x-accel-buffering': 'no',
    });
    this.response.flushHeaders();
  }

  /** @throws ReaderGone */
  async send(event: object | '[DONE]'): Promise<void> {
    if (this.response.destroyed) throw new ReaderGone('the client has closed the connection');
    const data = typeof event === 'string' ? event : JSON.stringify(event);
    if (!this.response.write(`data: ${data}\n\n`)) await this.#drained();
  }

  end(): void {
    this.response.end();
  }

  #drained(): Promise<void> {
    const { response, stallMs } = this;
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        clearTimeout(timer);
        response.off('drain', drained).off('close', closed);
        if (error === undefined) resolve();
        else reject(error);
      };
      const drained = (): void => settle();
      const closed = (): void => settle(new ReaderGone('the client has closed the connection'));
      const timer = setTimeout(() => {
        settle(new ReaderGone(`the client has read nothing for ${stallMs / 1000} s`));
        response.destroy();
      }, stallMs);
      response.once('drain', drained).once('close', closed);
    });
  }
}
