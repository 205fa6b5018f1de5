import type { OnReadOpts, Socket } from 'node:net';
import { addressText, type Address } from '../../../cluster/address.js';
import { TransferError, type KvSource } from '../../../cluster/bring.js';
import { BufferPool } from '../../../cluster/buffer-pool.js';
import { FrameReader, type FrameHead } from '../../../cluster/frame.js';
import { layoutDifference, sameNumbers } from '../../../cluster/layout.js';
import type { KvTransfer } from '../../../engine/kv-transfer.js';
import type { KvPiece } from '../../../engine/prefill-run.js';
import { connectTo, type WireOptions } from './connection.js';
import { checksum, jsonBytes, jsonOf, send, type Hello } from './hello.js';
import { Inbox } from './inbox.js';

/** How often a worker is asked whether it is there, and how often in vain before it is taken to be lost: 5 s. */
const [PING_MS, UNANSWERED] = [500, 10];
/** How long a connection may take to come about. */
const CONNECT_MS = 2000;

interface Connection {
  readonly socket: Socket;
  readonly inboxes: Map<number, Inbox>;
}

export interface RemoteOptions extends WireOptions {
  readonly address: Address;
  /** Told when the worker comes, goes or refuses, a sentence each. */
  readonly tell?: (what: string) => void;
}

/** Whose cache the keys and values are for. */
export interface KvReader {
  readonly kv: Pick<KvTransfer, 'layout' | 'numerics'>;
}

/**
 * A worker that computes prompts, behind a TCP connection that is made when it is needed and again after it was lost.
 * Where it cannot be had, a transfer fails at once and the prompt is computed where it is wanted.
 */
export class RemoteSource implements KvSource {
  readonly name: string;
  readonly #engine: KvReader;
  readonly #options: RemoteOptions;
  #connection: Promise<Connection> | undefined;
  #nextStream = 1;
  readonly #pool = new BufferPool();

  constructor(engine: KvReader, options: RemoteOptions) {
    this.#engine = engine;
    this.#options = options;
    this.name = addressText(options.address);
  }

  async *pieces(promptIds: readonly number[], from: number, signal: AbortSignal): AsyncGenerator<KvPiece, void> {
    const { socket, inboxes } = await this.connect();
    const stream = this.#nextStream++;
    const inbox = new Inbox();
    inboxes.set(stream, inbox);
    const stop = (): void => inbox.end(new TransferError('failed', 'no longer wanted'));
    signal.addEventListener('abort', stop, { once: true });
    let over = false;
    try {
      send(socket, { type: 'want', stream, firstBlock: from }, jsonBytes({ ids: promptIds }));
      if (signal.aborted) return;
      yield* inbox.pieces();
      over = true;
    } finally {
      signal.removeEventListener('abort', stop);
      inboxes.delete(stream);
      if (!over && !socket.destroyed) send(socket, { type: 'cancel', stream });
    }
  }

  /** @throws TransferError where the worker cannot be reached or refuses */
  connect(): Promise<Connection> {
    return (this.#connection ??= this.#connect().catch((error: unknown) => {
      this.#connection = undefined;
      throw error;
    }));
  }

  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    connection?.socket.destroy();
  }

  async #connect(): Promise<Connection> {
    const { address, token, tls, tell } = this.#options;
    const { kv } = this.#engine;
    const ours: Hello = { token, layout: await kv.layout(), numerics: kv.numerics() };
    const inboxes = new Map<number, Inbox>();
    let unheard = 0;
    let watch: NodeJS.Timeout | undefined;
    // Before the socket, which asks for room at once.
    const reader = new FrameReader(checksum(tls !== undefined), this.#pool);
    return new Promise((resolve, reject) => {
      let fault: Error = new TransferError('lost', `${this.name} cannot be reached`);
      const take = (head: FrameHead, payload: Uint8Array<ArrayBuffer>): void => {
        if (head.type === 'hello') {
          clearTimeout(impatient);
          const theirs = jsonOf(payload) as Hello;
          const problem = layoutDifference(ours.layout, theirs.layout);
          if (problem !== undefined) return void socket.destroy((fault = new TransferError('failed', problem)));
          const equal = sameNumbers(ours.numerics, theirs.numerics) ? 'equal' : 'close to';
          tell?.(`${this.name} computes prompts; ids are ${equal} those of one engine`);
          fault = new TransferError('lost', `the connection to ${this.name} was lost`);
          watch = setInterval(() => {
            if (unheard++ < UNANSWERED) return send(socket, { type: 'ping', stream: 0 });
            socket.destroy((fault = new TransferError('silent', `${this.name} is not heard of`)));
          }, PING_MS);
          resolve({ socket, inboxes });
        } else if (head.type === 'fail' && head.stream === 0) {
          fault = new TransferError(
            'failed',
            `${this.name} refuses: ${(jsonOf(payload) as { reason: string }).reason}`,
          );
        } else if (this.#file(inboxes.get(head.stream), head, payload)) reader.keep();
      };
      const landed = (bytes: number): boolean => {
        unheard = 0;
        try {
          const frame = reader.wrote(bytes);
          if (frame !== undefined) take(frame.head, frame.payload);
        } catch {
          socket.destroy((fault = new TransferError('damaged', `what ${this.name} sent is damaged`)));
        }
        return true;
      };
      // Bytes land where the frame wants them, without a copy.
      const onread: OnReadOpts = { buffer: () => reader.room, callback: landed };
      const ready = (): void => send(socket, { type: 'hello', stream: 0 }, jsonBytes(ours));
      const socket: Socket = connectTo(address, tls, ready, onread);
      const impatient = setTimeout(() => socket.destroy(), CONNECT_MS);
      socket.on('error', () => undefined); // close follows
      socket.once('close', () => {
        clearTimeout(impatient);
        clearInterval(watch);
        this.#connection = undefined;
        tell?.(fault.message);
        for (const inbox of inboxes.values()) inbox.end(fault);
        reject(fault);
      });
    });
  }

  /** @returns whether the payload is still needed */
  #file(inbox: Inbox | undefined, head: FrameHead, payload: Uint8Array<ArrayBuffer>): boolean {
    if (inbox === undefined) return false; // of a transfer that is over
    const { firstBlock, blocks, firstLayer, layers } = head;
    if (head.type === 'blocks') {
      inbox.put({ firstBlock, blocks, firstLayer, layers, bytes: payload }, () => this.#pool.give(payload));
      return true;
    }
    if (head.type === 'done') inbox.end();
    else if (head.type === 'fail')
      inbox.end(new TransferError('failed', (jsonOf(payload) as { reason: string }).reason));
    return false;
  }
}
