import type { Readable, Writable } from 'node:stream';
import { RidgepointError } from '../../../errors.js';

interface Incoming {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
  readonly method?: string;
  readonly params?: unknown;
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** Chrome's DevTools protocol over a pair of pipes: messages of JSON, each ended by a zero byte. */
export class DevtoolsPipe {
  readonly #out: Writable;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Map<string, (params: never) => void>();
  /** Rejects when the browser is gone; never resolves. */
  readonly failure: Promise<never>;
  #fail: (error: Error) => void = () => undefined;
  #parts: Buffer[] = [];
  #nextId = 1;
  #broken: Error | undefined;

  constructor(out: Writable, incoming: Readable) {
    this.#out = out;
    this.failure = new Promise((_, reject) => (this.#fail = reject));
    this.failure.catch(() => undefined); // for those who wait for something
    out.on('error', () => undefined); // told by the other pipe's end
    incoming.on('data', (chunk: Buffer) => this.#take(chunk));
    incoming.on('error', () => undefined);
  }

  /** @throws RidgepointError with what the browser says, or why there is none any more */
  call<T>(method: string, params: object = {}, sessionId?: string): Promise<T> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    const id = this.#nextId++;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#out.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  }

  /** Told of events of a name; one listener each. */
  on<T>(method: string, listener: (params: T) => void): void {
    this.#listeners.set(method, listener);
  }

  /** The browser is gone. */
  break(error: Error): void {
    this.#broken ??= error;
    this.#fail(error);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #take(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(0); end >= 0; end = chunk.indexOf(0, from)) {
      const message = Buffer.concat([...this.#parts, chunk.subarray(from, end)]);
      this.#parts = [];
      from = end + 1;
      this.#receive(JSON.parse(message.toString()) as Incoming);
    }
    if (from < chunk.length) this.#parts.push(chunk.subarray(from));
  }

  #receive({ id, result, error, method, params }: Incoming): void {
    if (id === undefined) {
      this.#listeners.get(method ?? '')?.(params as never);
      return;
    }
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(result as never);
    else waiting?.reject(new RidgepointError('internal', `the browser refused a request: ${error.message}`));
  }
}
