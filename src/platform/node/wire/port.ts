import type { Socket } from 'node:net';
import type { Address } from '../../../cluster/address.js';
import { FrameReader, MOST_PAYLOAD, type FrameHead } from '../../../cluster/frame.js';
import { newEpoch } from '../../../cluster/control/epoch.js';
import { layoutDifference } from '../../../cluster/layout.js';
import type { WorkerSpeed } from '../../../cluster/placement.js';
import type { WorkerPool } from '../../../cluster/role-balance.js';
import { Runs } from '../../../cluster/runs.js';
import type { CoreEngine } from '../../../engine/engine.js';
import type { WorkerHello, WorkerReport, WorkerRole } from '../../../cluster/worker-link.js';
import { listenAt, wireServer, type WireOptions, type WireServer } from './connection.js';
import { checksum, jsonBytes, jsonOf, send, tokenFits } from './hello.js';
import type { Hello, RouterHello } from './hello.js';
import { PromptStreams } from './prompt-streams.js';
import { RemoteSources } from './remote-sources.js';
import { RouterConnection } from './router-connection.js';

/** Most bytes from somebody who has not shown a token yet. */
const HELLO_BYTES = 1 << 16;
/** Somebody who has not said who they are by then is hung up on. */
const HELLO_MS = 5000;

/** How often it is looked whether transfers have ended, in milliseconds. */
const LOOK_MS = 50;

/** Without a token everybody is let in who reaches the port. */
export interface PortOptions extends WireOptions {
  /** What may be asked for; default both. */
  readonly role?: WorkerRole;
  /** Requests of routers that may run and wait together; default any number. */
  readonly most?: number;
  /** What the engine's work takes, as far as it is known. */
  readonly speed?: () => WorkerSpeed | undefined;
  /** Told of connections that come, go or are refused, a sentence each. */
  readonly tell?: (what: string) => void;
  /** Told when the engine has failed, so that only another process can help. */
  readonly onBroken?: (failure: Error) => void;
}

/** What a connection takes frames by once it is known who is there. */
interface Visitor {
  take(head: FrameHead, payload: Uint8Array): void;
  closed(): void;
}

/**
 * A worker's port: servers get keys and values of prompts here that the engine computes for them, and routers have
 * requests run; each connection several at once.
 */
export class WorkerPort {
  readonly #door: WireServer;
  readonly #engine: CoreEngine;
  readonly #hello: WorkerHello;
  readonly #options: PortOptions;
  readonly #sources: RemoteSources;
  /** What routers say that it does at present, where it may do either phase. */
  #pool: WorkerPool | undefined;
  readonly runs: Runs;
  /** Transfers under way. */
  readonly prompts: PromptStreams;

  private constructor(engine: CoreEngine, hello: WorkerHello, options: PortOptions) {
    this.#engine = engine;
    this.#hello = hello;
    this.#options = options;
    const { token, tls, tell, most, onBroken } = options;
    this.prompts = new PromptStreams(engine);
    this.#sources = new RemoteSources(engine, { token, tls, tell });
    this.runs = new Runs(engine, { source: (address) => this.#sources.of(address), most, onBroken });
    const refused = (who = 'somebody', why: string): void => tell?.(`${who} was refused: ${why}`);
    this.#door = wireServer(tls, (socket) => this.#connected(socket), refused);
  }

  static async create(engine: CoreEngine, options: PortOptions = {}): Promise<WorkerPort> {
    const { role = 'both' } = options;
    const epoch = newEpoch();
    const layout = await engine.kv.layout();
    const hello = { layout, numerics: engine.kv.numerics(), role, epoch, info: engine.info };
    return new WorkerPort(engine, hello, options);
  }

  /** Of this process. */
  get epoch(): string {
    return this.#hello.epoch;
  }

  /** @returns where it listens, with the port that was free where any would do */
  listen(address: Address): Promise<Address> {
    return listenAt(this.#door.server, address);
  }

  /** Takes no new requests, and resolves when those that are there and all transfers have come to their ends. */
  async drain(): Promise<void> {
    await this.runs.drain();
    while (this.prompts.count > 0) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    const closed = this.#door.close();
    this.runs.close();
    await this.#sources.close();
    await closed;
  }

  #connected(socket: Socket): void {
    const reader = new FrameReader(checksum(this.#options.tls !== undefined));
    reader.most = HELLO_BYTES;
    let visitor: Visitor | undefined;
    const impatient = setTimeout(() => socket.destroy(), HELLO_MS);
    const take = (head: FrameHead, payload: Uint8Array): void => {
      if (socket.writableEnded) return; // refused
      if (visitor !== undefined) return visitor.take(head, payload);
      visitor = this.#greet(socket, head, payload);
      if (visitor === undefined) return;
      clearTimeout(impatient);
      reader.most = MOST_PAYLOAD;
    };
    socket.on('data', (bytes) => {
      try {
        reader.push(bytes, take);
      } catch {
        socket.destroy(); // what follows cannot be read
      }
    });
    socket.on('error', () => undefined); // close follows
    socket.on('close', () => {
      clearTimeout(impatient);
      visitor?.closed();
    });
  }

  /** @returns who takes the frames that follow; undefined for somebody who is refused */
  #greet(socket: Socket, head: FrameHead, payload: Uint8Array): Visitor | undefined {
    const theirs = head.type === 'hello' ? (jsonOf(payload) as Hello | RouterHello) : undefined;
    const problem = this.#problemOf(theirs);
    if (problem !== undefined || theirs === undefined) {
      this.#options.tell?.(`${socket.remoteAddress ?? 'somebody'} was refused: ${problem}`);
      send(socket, { type: 'fail', stream: 0 }, jsonBytes({ reason: problem }));
      socket.end();
      return undefined;
    }
    send(socket, { type: 'hello', stream: 0 }, jsonBytes(this.#hello));
    if (!('router' in theirs)) return this.prompts.visitor(socket);
    this.#options.tell?.(`the router at ${socket.remoteAddress ?? 'somebody'} has come`);
    return new RouterConnection(socket, this.runs, {
      report: () => this.#report(),
      moved: (pool) => (this.#pool = pool),
    });
  }

  #problemOf(theirs: Hello | RouterHello | undefined): string | undefined {
    if (theirs === undefined || !tokenFits(this.#options.token, theirs.token)) return 'the token is wrong';
    if ('router' in theirs) return undefined;
    if (this.#hello.role === 'decode') return 'it computes no prompts for others (--role decode)';
    return layoutDifference(this.#hello.layout, theirs.layout);
  }

  #report(): WorkerReport {
    return { stats: this.#engine.stats(), speed: this.#options.speed?.(), pool: this.#pool };
  }
}
