import type { Socket } from 'node:net';
import { addressText, type Address } from '../../../cluster/address.js';
import { FrameReader, type FrameHead } from '../../../cluster/frame.js';
import {
  runKeyOf,
  type RunFailure,
  type RunKey,
  type RunRequest,
  type RunTokens,
} from '../../../cluster/run-request.js';
import type { WorkerPool } from '../../../cluster/role-balance.js';
import type { WorkerHello, WorkerLink, WorkerListener, WorkerReport } from '../../../cluster/worker-link.js';
import { connectTo, type WireOptions } from './connection.js';
import { checksum, jsonBytes, jsonOf, send, type RouterHello } from './hello.js';

/** How often a worker is asked how it is. */
const PING_MS = 500;
/** A worker that says nothing for so long is taken to be lost. */
const SILENCE_MS = 5000;
/** How long a connection may take to come about. */
const CONNECT_MS = 2000;
/** How long what a worker runs is left to it after its connection was lost. */
const GRACE_MS = 500;
/** How often one that is away is looked for. */
const RETRY_MS = 300;

export interface TcpLinkOptions extends WireOptions {
  readonly address: Address;
  readonly listener: WorkerListener;
  /** What a worker that may do either phase is to do; it tells others who ask. */
  readonly poolOf?: (worker: string) => WorkerPool | undefined;
  /** Told when the worker comes, goes or refuses, a sentence each. */
  readonly tell?: (what: string) => void;
}

/** A router's connection to a worker, made again whenever it was lost. */
export class TcpLink implements WorkerLink {
  readonly name: string;
  readonly address: Address;
  worker: WorkerHello | undefined;
  report: WorkerReport | undefined;
  readonly #options: TcpLinkOptions;
  #socket: Socket | undefined;
  #nextStream = 1;
  readonly #keys = new Map<number, RunKey>();
  readonly #streams = new Map<string, number>();
  /** The process that what runs belongs to. */
  #epoch: string | undefined;
  #grace: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  #heard = -Infinity;
  #told: string | undefined;

  constructor(options: TcpLinkOptions) {
    this.address = options.address;
    this.name = addressText(this.address);
    this.#options = options;
    this.#connect();
  }

  run(request: RunRequest, from: number): void {
    const key = runKeyOf(request);
    const stream = this.#streams.get(key) ?? this.#nextStream++;
    this.#streams.set(key, stream);
    this.#keys.set(stream, { id: request.id, attempt: request.attempt });
    this.#send({ type: 'run', stream, firstBlock: from }, request);
  }

  release(key: RunKey, isWhole: boolean): void {
    const stream = this.#forget(key);
    if (stream !== undefined) this.#send({ type: isWhole ? 'ack' : 'cancel', stream });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#grace);
    clearTimeout(this.#retry);
    this.#socket?.destroy();
  }

  /** Whether there is a connection on which something came lately. */
  isHeard(withinMs: number): boolean {
    return this.worker !== undefined && performance.now() - this.#heard < withinMs;
  }

  /** Ends it for good: what runs there is lost. */
  abandon(): void {
    this.close();
    this.worker = undefined;
    this.#giveUp();
  }

  #forget(key: RunKey): number | undefined {
    const stream = this.#streams.get(runKeyOf(key));
    this.#streams.delete(runKeyOf(key));
    if (stream !== undefined) this.#keys.delete(stream);
    return stream;
  }

  #send(
    frame: { readonly type: FrameHead['type']; readonly stream: number; readonly firstBlock?: number },
    value?: object,
  ): void {
    if (this.#socket?.destroyed === false) send(this.#socket, frame, value && jsonBytes(value));
  }

  #ping(): void {
    const pool = this.#options.poolOf?.(this.name);
    this.#send({ type: 'ping', stream: 0 }, pool && { pool });
  }

  #tell(what: string): void {
    if (what === this.#told) return; // a worker that is away is looked for often
    this.#told = what;
    this.#options.tell?.(what);
  }

  #connect(): void {
    const { token, tls } = this.#options;
    let fault = 'cannot be reached';
    this.#heard = performance.now();
    let watch: NodeJS.Timeout | undefined;
    const socket = connectTo(this.address, tls, () => {
      const hello: RouterHello = { token, router: true };
      send(socket, { type: 'hello', stream: 0 }, jsonBytes(hello));
    });
    const reader = new FrameReader(checksum(tls !== undefined));
    this.#socket = socket;
    const impatient = setTimeout(() => socket.destroy(), CONNECT_MS);
    const take = (head: FrameHead, payload: Uint8Array): void => {
      if (head.type === 'hello') {
        clearTimeout(impatient);
        fault = 'has gone';
        const problem = this.#greet(jsonOf(payload) as WorkerHello);
        if (problem !== undefined) {
          fault = `cannot be used: ${problem}`;
          socket.destroy();
          return;
        }
        this.#ping();
        watch = setInterval(() => {
          if (performance.now() - this.#heard < SILENCE_MS) return this.#ping();
          fault = `has said nothing for ${SILENCE_MS / 1000} s`;
          socket.destroy();
        }, PING_MS);
      } else if (head.type === 'fail' && head.stream === 0) {
        fault = `refuses: ${(jsonOf(payload) as { reason: string }).reason}`;
      } else this.#take(head, payload);
    };
    socket.on('data', (bytes) => {
      this.#heard = performance.now();
      try {
        reader.push(bytes, take);
      } catch {
        fault = 'sent what is damaged';
        socket.destroy();
      }
    });
    socket.on('error', () => undefined); // close follows
    socket.once('close', () => {
      clearTimeout(impatient);
      clearInterval(watch);
      this.#lost(fault);
    });
  }

  /** @returns why the worker cannot be used */
  #greet(worker: WorkerHello): string | undefined {
    const { listener } = this.#options;
    const isSame = worker.epoch === this.#epoch;
    if (!isSame) this.#giveUp();
    clearTimeout(this.#grace);
    this.#grace = undefined;
    this.worker = worker;
    if (isSame) {
      this.#tell(`${this.name} is there again`);
      listener.cameBack(this);
      return undefined;
    }
    const problem = listener.came(this);
    if (problem !== undefined) {
      this.worker = undefined;
      return problem;
    }
    this.#epoch = worker.epoch;
    this.#tell(`${this.name} has come: ${worker.info.adapter}, ${wordsOf[worker.role]}`);
    return undefined;
  }

  #take(head: FrameHead, payload: Uint8Array): void {
    if (head.type === 'ping') {
      this.report = jsonOf(payload) as WorkerReport;
      return;
    }
    const { listener } = this.#options;
    const key = this.#keys.get(head.stream);
    if (key === undefined) return; // of a run that is over
    if (head.type === 'tokens') listener.tokens(this, key, head.firstBlock, jsonOf(payload) as RunTokens);
    else if (head.type === 'end') listener.ended(this, key, head.firstBlock);
    else if (head.type === 'fail') {
      this.#forget(key);
      listener.failed(this, key, jsonOf(payload) as RunFailure);
    }
  }

  #lost(fault: string): void {
    if (this.#closed) return;
    const was = this.worker;
    this.worker = undefined;
    this.report = undefined;
    // Streams are a connection's; whoever comes back is asked again.
    this.#keys.clear();
    this.#streams.clear();
    this.#tell(`${this.name} ${fault}`);
    if (was !== undefined) {
      this.#grace = setTimeout(() => this.#giveUp(), GRACE_MS);
      this.#connect(); // it may be the connection alone
      return;
    }
    // Nobody is at the address: the process has ended.
    if (fault === 'cannot be reached') this.#giveUp();
    this.#retry = setTimeout(() => this.#connect(), RETRY_MS);
  }

  #giveUp(): void {
    clearTimeout(this.#grace);
    this.#grace = undefined;
    if (this.#epoch === undefined) return;
    this.#epoch = undefined;
    this.#options.listener.gone(this);
  }
}

const wordsOf = {
  prefill: 'which computes prompts',
  decode: 'which answers',
  both: 'which computes prompts and answers',
  auto: 'which computes prompts or answers',
} as const;
