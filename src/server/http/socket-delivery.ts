import type { FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';
import { type Delivery, type Headers, ReaderGone } from '../../serving/http/delivery.js';
import type { Lifetime } from '../../serving/http/lifetime.js';
import { sendQueue } from './send-queue.js';

/** How long a reader has for the last words of an answer that was cut short, in milliseconds. */
const FAREWELL_MS = 1000;
/** Looks at a reader that seems to take nothing, in each span of time after which it is cut off. */
const LOOKS = 4;

/**
 * Brings an answer to its reader as fast as it is taken, so that nothing piles up in the socket. A reader that takes
 * nothing for `stallMs` is cut off, and so is one that has not all of it when the request's time is up.
 */
export class SocketDelivery implements Delivery {
  readonly #reply: FastifyReply;
  readonly #response: ServerResponse;
  readonly #lifetime: Lifetime;
  readonly #stallMs: number;

  constructor(reply: FastifyReply, lifetime: Lifetime, stallMs: number) {
    this.#reply = reply;
    this.#response = reply.raw;
    this.#lifetime = lifetime;
    this.#stallMs = stallMs;
  }

  head(headers: Headers, atOnce: boolean): void {
    const response = this.#response;
    this.#reply.hijack();
    // Those that hooks have set come first.
    for (const [name, value] of Object.entries({ ...this.#reply.getHeaders(), ...headers })) {
      if (value !== undefined) response.setHeader(name, value);
    }
    if (!atOnce) return;
    response.writeHead(200);
    response.flushHeaders();
  }

  async write(text: string): Promise<void> {
    this.assertGoing();
    if (!this.#response.write(text)) await this.#taken('drain');
  }

  put(text: string): Promise<void> | undefined {
    this.assertGoing();
    return writeChunk(this.#response, text) ? undefined : this.#taken('drain');
  }

  murmur(text: string): void {
    const response = this.#response;
    if (!response.destroyed && !response.writableNeedDrain) response.write(text);
  }

  async end(text?: string): Promise<void> {
    this.assertGoing();
    this.#response.end(text);
    if (!this.#response.writableFinished) await this.#taken('finish');
  }

  async breakOff(words?: string): Promise<void> {
    const response = this.#response;
    if (response.destroyed) return;
    if (words === undefined) {
      response.destroy();
      return;
    }
    response.end(words);
    const timer = setTimeout(() => response.destroy(), FAREWELL_MS);
    await new Promise<void>((resolve) => this.#lifetime.onClosed(resolve));
    clearTimeout(timer);
  }

  assertGoing(): void {
    if (this.#lifetime.closed || this.#response.destroyed) throw new ReaderGone('the client has closed the connection');
    if (this.#lifetime.reason !== undefined) throw this.#lifetime.error();
  }

  #taken(event: 'drain' | 'finish'): Promise<void> {
    const response = this.#response;
    const lifetime = this.#lifetime;
    return new Promise((resolve, reject) => {
      let settled = false;
      const settle = (error?: Error): void => {
        if (settled) return;
        settled = true;
        response.off(event, taken);
        lifetime.signal.removeEventListener('abort', ended);
        heedless();
        if (error === undefined) resolve();
        else reject(error);
      };
      const taken = (): void => settle();
      const heedless = lifetime.onClosed(() =>
        settle(response.writableFinished ? undefined : new ReaderGone('the client has left')),
      );
      const ended = (): void =>
        settle(lifetime.reason === 'client gone' ? new ReaderGone('the client has left') : lifetime.error());
      response.once(event, taken);
      lifetime.signal.addEventListener('abort', ended, { once: true });
      void this.#watch(() => settled).then(() => {
        if (settled) return;
        lifetime.end('stalled');
        settle(new ReaderGone(`the client has taken nothing for ${this.#stallMs / 1000} s`));
        response.destroy();
      });
    });
  }

  /** Resolves when nothing has been taken for too long, or `done` says that it does not matter any more. */
  async #watch(done: () => boolean): Promise<void> {
    const response = this.#response;
    const stallMs = this.#stallMs;
    let least = await this.#pending();
    let progress = performance.now();
    while (!done()) {
      await new Promise((resolve) => setTimeout(resolve, stallMs / LOOKS).unref());
      if (done()) return;
      const pending = await this.#pending();
      const now = performance.now();
      // One that waits behind another answer of its connection has no reader yet.
      if (response.socket === null || pending < least) progress = now;
      least = pending;
      if (now - progress >= stallMs) return;
    }
  }

  /** Bytes of the answer that are not taken yet, as far as one can see. */
  async #pending(): Promise<number> {
    const response = this.#response;
    const queued = response.socket === null ? 0 : ((await sendQueue(response.socket)) ?? 0);
    return response.writableLength + queued;
  }
}

/** A response's `write` that makes one piece of a chunk and its frame, where Node makes four, which costs twice as much. */
function writeChunk(response: ServerResponse, text: string): boolean {
  const bytes = Buffer.byteLength(text);
  const encoding = bytes === text.length ? 'latin1' : 'utf8';
  if (!response.chunkedEncoding) return response.write(text, encoding);
  response.chunkedEncoding = false;
  const room = response.write(`${bytes.toString(16)}\r\n${text}\r\n`, encoding);
  response.chunkedEncoding = true;
  return room;
}
