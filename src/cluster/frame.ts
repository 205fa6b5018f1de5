import type { KvPart } from '../cache/block-copy.js';
import { BufferPool } from './buffer-pool.js';

/** Bytes of a frame's head. */
export const HEAD_BYTES = 32;
/** Most bytes of a frame's payload; what claims more is damaged. */
export const MOST_PAYLOAD = 64 << 20;
/** Bytes that a core's cache holds: what is copied and then summed up in such parts comes from memory once. */
export const HOT_BYTES = 128 << 10;

const MAGIC = 0x5247;
const VERSION = 1;

/** In the order of their numbers on the wire. */
export const FRAME_TYPES = [
  ...(['hello', 'want', 'blocks', 'done', 'fail', 'cancel'] as const),
  ...(['run', 'tokens', 'end', 'ack', 'ping'] as const),
] as const;
export type FrameType = (typeof FRAME_TYPES)[number];

/**
 * The head of a frame, 32 bytes, little-endian: magic (u16), version (u8), type (u8), stream (u32), first block (u32),
 * blocks (u32), first layer (u16), layers (u16), payload bytes (u32), CRC-32 of the payload (u32), CRC-32 of all before
 * (u32).
 */
export interface FrameHead extends KvPart {
  readonly type: FrameType;
  /** Which of a connection's transfers or runs it belongs to. */
  readonly stream: number;
  readonly bytes: number;
  readonly crc: number;
}

export interface Frame extends Partial<KvPart> {
  readonly type: FrameType;
  readonly stream: number;
}

/** CRC-32 of some bytes, or of those that had `before` and these. */
export type Crc = (bytes: Uint8Array, before?: number) => number;

/** @param sum CRC-32 of the payload, where it is known already */
export function encodeHead(frame: Frame, payload: Uint8Array, crc: Crc, sum = crc(payload)): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES);
  const view = new DataView(head.buffer);
  view.setUint16(0, MAGIC, true);
  view.setUint8(2, VERSION);
  view.setUint8(3, FRAME_TYPES.indexOf(frame.type));
  view.setUint32(4, frame.stream, true);
  view.setUint32(8, frame.firstBlock ?? 0, true);
  view.setUint32(12, frame.blocks ?? 0, true);
  view.setUint16(16, frame.firstLayer ?? 0, true);
  view.setUint16(18, frame.layers ?? 0, true);
  view.setUint32(20, payload.length, true);
  view.setUint32(24, sum, true);
  view.setUint32(28, crc(head.subarray(0, 28)), true);
  return head;
}

/** @returns undefined for a head that is damaged or of another version */
export function decodeHead(head: Uint8Array, crc: Crc): FrameHead | undefined {
  const view = new DataView(head.buffer, head.byteOffset, HEAD_BYTES);
  if (view.getUint16(0, true) !== MAGIC || view.getUint8(2) !== VERSION) return undefined;
  if (view.getUint32(28, true) !== crc(head.subarray(0, 28))) return undefined;
  const type = FRAME_TYPES.at(view.getUint8(3));
  const bytes = view.getUint32(20, true);
  if (type === undefined || bytes > MOST_PAYLOAD) return undefined;
  return {
    type,
    stream: view.getUint32(4, true),
    firstBlock: view.getUint32(8, true),
    blocks: view.getUint32(12, true),
    firstLayer: view.getUint16(16, true),
    layers: view.getUint16(18, true),
    bytes,
    crc: view.getUint32(24, true),
  };
}

/** Frames out of bytes that come in pieces of any size. Payloads lie in one buffer that is used again for each. */
export class FrameReader {
  readonly #head = new Uint8Array(HEAD_BYTES);
  readonly #crc: Crc;
  /** Most bytes of a payload; a head that claims more is taken to be damaged. */
  most = MOST_PAYLOAD;
  #payload = new Uint8Array(0);
  readonly #pool: BufferPool;
  #current: FrameHead | undefined;
  #got = 0;
  /** CRC-32 of what has come of the payload. */
  #sum = 0;

  /** @param pool where payloads that are kept come from, and go when they are not needed any more */
  constructor(crc: Crc, pool = new BufferPool()) {
    this.#crc = crc;
    this.#pool = pool;
  }

  /** Leaves the payload that has just come to whoever has it, who gives it to the pool; the next one gets another. */
  keep(): void {
    this.#payload = new Uint8Array(0);
  }

  /** Where the next bytes are to be written. */
  get room(): Uint8Array {
    if (this.#current === undefined) return this.#head.subarray(this.#got);
    return this.#payload.subarray(this.#got, Math.min(this.#got + HOT_BYTES, this.#current.bytes));
  }

  /**
   * Takes note of bytes written to `room`.
   *
   * @returns the frame they complete; its payload is there until the next bytes
   * @throws RangeError where what has come is damaged, after which nothing more can be read
   */
  wrote(bytes: number): { readonly head: FrameHead; readonly payload: Uint8Array<ArrayBuffer> } | undefined {
    if (this.#current !== undefined) {
      this.#sum = this.#crc(this.#payload.subarray(this.#got, this.#got + bytes), this.#sum);
    }
    this.#got += bytes;
    if (this.#current === undefined) {
      if (this.#got < HEAD_BYTES) return undefined;
      const head = decodeHead(this.#head, this.#crc);
      if (head === undefined || head.bytes > this.most) throw new RangeError('the head of a frame is damaged');
      this.#current = head;
      this.#got = 0;
      this.#sum = 0;
      if (this.#payload.length < head.bytes) this.#payload = this.#pool.take(head.bytes);
    }
    const head = this.#current;
    if (this.#got < head.bytes) return undefined;
    this.#current = undefined;
    this.#got = 0;
    const payload = this.#payload.subarray(0, head.bytes);
    if (this.#sum !== head.crc) throw new RangeError('the payload of a frame is damaged');
    return { head, payload };
  }

  /** Takes bytes that lie elsewhere. @param take gets each frame, whose payload is there for the call */
  push(bytes: Uint8Array, take: (head: FrameHead, payload: Uint8Array) => void): void {
    for (let at = 0; at < bytes.length;) {
      const { room } = this;
      const count = Math.min(room.length, bytes.length - at);
      room.set(bytes.subarray(at, at + count));
      at += count;
      const frame = this.wrote(count);
      if (frame !== undefined) take(frame.head, frame.payload);
    }
  }
}
