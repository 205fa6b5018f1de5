import type { Socket } from 'node:net';
import { BufferPool } from '../../../cluster/buffer-pool.js';
import { HOT_BYTES, type Crc, type FrameHead } from '../../../cluster/frame.js';
import type { KvTransfer } from '../../../engine/kv-transfer.js';
import { checksumOf, jsonBytes, jsonOf, send } from './hello.js';

/** Who is not heard of for so long has gone; readers ask every half second whether we are there. */
const [LOOK_MS, UNHEARD] = [500, 10];
/** A reader that takes nothing for so long is given up. */
const STALL_MS = 5000;

/** Most bytes of a wish for a prompt, and prompts that one connection may want at a time. */
const WANT_BYTES = 4 << 20;
const MOST_STREAMS = 1024;

/** What is asked for in a `want`: the prompt, and the first block that is wanted in the frame's head. */
interface Want {
  readonly ids: readonly number[];
}

/** Whose prompts they are. */
export interface PromptComputer {
  readonly kv: Pick<KvTransfer, 'prefill'>;
}

/** Keys and values of prompts on their way to those who have asked for them. */
export class PromptStreams {
  readonly #engine: PromptComputer;
  readonly #pool = new BufferPool();
  /** Transfers under way. */
  count = 0;

  constructor(engine: PromptComputer) {
    this.#engine = engine;
  }

  /** Takes the frames of a connection. */
  visitor(socket: Socket): { take(head: FrameHead, payload: Uint8Array): void; closed(): void } {
    const streams = new Map<number, AbortController>();
    let unheard = 0;
    const watch = setInterval(() => {
      if (unheard++ >= UNHEARD) socket.destroy();
    }, LOOK_MS);
    return {
      take: (head, payload) => {
        unheard = 0;
        if (head.type === 'ping') send(socket, { type: 'ping', stream: 0 });
        else if (head.type === 'want') {
          // One that took another's place could not be ended any more.
          if (streams.has(head.stream) || streams.size >= MOST_STREAMS) throw new Error('too much is wanted');
          void this.#serve(socket, head, wantOf(payload), streams);
        } else if (head.type === 'cancel') streams.get(head.stream)?.abort();
      },
      closed: () => {
        clearInterval(watch);
        for (const stream of streams.values()) stream.abort();
      },
    };
  }

  async #serve(socket: Socket, head: FrameHead, { ids }: Want, streams: Map<number, AbortController>): Promise<void> {
    const { stream, firstBlock: from } = head;
    const ended = new AbortController();
    streams.set(stream, ended);
    this.count++;
    // One frame is made while another one is sent.
    let before = Promise.resolve();
    try {
      for await (const { bytes, ...part } of this.#engine.kv.prefill(ids, { from, signal: ended.signal })) {
        // The mapped bytes are there until the next piece is asked for, and a socket takes them when it likes.
        const own = this.#pool.take(bytes.length);
        const sum = copySummed(bytes, own, checksumOf(socket));
        const sent = new Promise<void>((resolve) => {
          const done = (): void => {
            this.#pool.give(own);
            resolve();
          };
          send(socket, { type: 'blocks', stream, ...part }, own, done, sum);
        });
        if (socket.writableNeedDrain) await taken(socket, before);
        before = sent;
        if (socket.destroyed) return;
      }
      send(socket, { type: 'done', stream });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!socket.destroyed) send(socket, { type: 'fail', stream }, jsonBytes({ reason }));
    } finally {
      this.count--;
      streams.delete(stream);
    }
  }
}

/** @throws Error where it is no wish for a prompt; whether its ids are tokens is the engine's to say */
function wantOf(payload: Uint8Array): Want {
  if (payload.length > WANT_BYTES) throw new Error('a prompt is wanted that is too long');
  const want = jsonOf(payload) as Partial<Want> | null;
  if (!Array.isArray(want?.ids)) throw new Error('a prompt is wanted without its ids');
  return { ids: want.ids };
}

/** Copies bytes in parts that a core's cache holds. @returns their checksum */
function copySummed(from: Uint8Array, to: Uint8Array, crc: Crc): number {
  let sum = 0;
  for (let at = 0; at < from.length; at += HOT_BYTES) {
    const part = to.subarray(at, at + HOT_BYTES);
    part.set(from.subarray(at, at + HOT_BYTES));
    sum = crc(part, sum);
  }
  return sum;
}

/** Resolves when a frame has been taken, or its socket is closed, as it is where it takes nothing for too long. */
function taken(socket: Socket, sent: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    let before = socket.bytesWritten;
    const timer = setInterval(() => {
      if (socket.bytesWritten === before) socket.destroy();
      before = socket.bytesWritten;
    }, STALL_MS);
    const go = (): void => {
      clearInterval(timer);
      socket.off('close', go);
      resolve();
    };
    socket.on('close', go);
    if (socket.destroyed) go();
    else void sent.then(go);
  });
}
