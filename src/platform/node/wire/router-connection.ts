import type { Socket } from 'node:net';
import type { Frame, FrameHead } from '../../../cluster/frame.js';
import { runKeyOf, runRequestOf, type RunKey } from '../../../cluster/run-request.js';
import { UNHEARD_MS, type RunReader, type Runs } from '../../../cluster/runs.js';
import { isPool, type WorkerPool } from '../../../cluster/role-balance.js';
import type { WorkerReport } from '../../../cluster/worker-link.js';
import { jsonBytes, jsonOf, send } from './hello.js';

/** How often a connection is looked at, in milliseconds. */
const LOOK_MS = 500;

/** What a worker says of itself, and what routers say of it. */
export interface RouterTalk {
  readonly report: () => WorkerReport;
  /** Told which phase it is to do, where it may do either. */
  readonly moved: (pool: WorkerPool) => void;
}

/** A worker's end of a router's connection: each stream is a run. */
export class RouterConnection {
  readonly #socket: Socket;
  readonly #runs: Runs;
  readonly #talk: RouterTalk;
  readonly #keys = new Map<number, RunKey>();
  readonly #streams = new Map<string, number>();
  readonly #reader: RunReader;
  readonly #watch: NodeJS.Timeout;
  #heard = performance.now();

  constructor(socket: Socket, runs: Runs, talk: RouterTalk) {
    this.#socket = socket;
    this.#runs = runs;
    this.#talk = talk;
    this.#reader = {
      tokens: (key, index, tokens) =>
        this.#send(key, { type: 'tokens', firstBlock: index, blocks: tokens.tokens.length }, tokens),
      end: (key, count) => this.#send(key, { type: 'end', firstBlock: count }),
      fail: (key, failure) => {
        this.#send(key, { type: 'fail' }, failure);
        this.#forget(key);
      },
    };
    this.#watch = setInterval(() => {
      if (performance.now() - this.#heard >= UNHEARD_MS) socket.destroy();
    }, LOOK_MS);
  }

  /** @throws Error for what is no request */
  take(head: FrameHead, payload: Uint8Array): void {
    this.#heard = performance.now();
    const { type, stream } = head;
    if (type === 'ping') {
      const { pool } = (payload.length === 0 ? {} : Object(jsonOf(payload))) as { readonly pool?: unknown };
      if (isPool(pool)) this.#talk.moved(pool);
      send(this.#socket, { type: 'ping', stream: 0 }, jsonBytes(this.#talk.report()));
    } else if (type === 'run') {
      const request = runRequestOf(jsonOf(payload));
      this.#keys.set(stream, request);
      this.#streams.set(runKeyOf(request), stream);
      this.#runs.run(request, head.firstBlock, this.#reader);
    } else if (type === 'cancel' || type === 'ack') {
      const key = this.#keys.get(stream);
      if (key === undefined) return;
      this.#forget(key);
      this.#runs.release(key);
    }
  }

  /** Its runs go on for a while, counted from when it was last heard of. */
  closed(): void {
    clearInterval(this.#watch);
    this.#runs.detach(this.#reader, Math.max(0, UNHEARD_MS - (performance.now() - this.#heard)));
  }

  #forget(key: RunKey): void {
    const stream = this.#streams.get(runKeyOf(key));
    this.#streams.delete(runKeyOf(key));
    if (stream !== undefined) this.#keys.delete(stream);
  }

  #send(key: RunKey, frame: Omit<Frame, 'stream'>, value?: object): void {
    const stream = this.#streams.get(runKeyOf(key));
    if (stream === undefined || this.#socket.destroyed) return;
    send(this.#socket, { ...frame, stream }, value && jsonBytes(value));
  }
}
