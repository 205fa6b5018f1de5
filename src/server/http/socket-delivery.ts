import type { FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
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
    const writer = writeChunk(this.#response, text);
    return writer.writableNeedDrain ? this.#taken('drain', writer) : undefined;
  }

  murmur(text: string): void {
    const response = this.#response;
    const full = response.writableNeedDrain || response.socket?.writableNeedDrain;
    if (!response.destroyed && full !== true) response.write(text);
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

  /** @param writer who tells of it */
  #taken(event: 'drain' | 'finish', writer: Writable = this.#response): Promise<void> {
    const response = this.#response;
    const lifetime = this.#lifetime;
    return new Promise((resolve, reject) => {
      let settled = false;
      const settle = (error?: Error): void => {
        if (settled) return;
        settled = true;
        writer.off(event, taken);
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
      writer.once(event, taken);
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

/**
 * A response's `write` that makes one piece of a chunk and its frame, where Node makes four, and gives it to the socket
 * itself, since the response would put it off to the next tick.
 *
 * @returns whom it was given to: the response where its turn on the connection has not come, or the head is not out
 */
function writeChunk(response: ServerResponse, text: string): Writable {
  const { socket } = response;
  const bytes = Buffer.byteLength(text);
  const encoding = bytes === text.length ? 'latin1' : 'utf8';
  if (!response.chunkedEncoding || socket?.writable !== true || !response.headersSent) {
    response.write(text, encoding);
    return response;
  }
  socket.write(`${bytes.toString(16)}\r\n${text}\r\n`, encoding);
  return socket;
}
