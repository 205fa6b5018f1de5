import type { Socket } from 'node:net';

/** What a link lets through. */
export interface LinkShape {
  /** Bytes a millisecond; any number where absent. 1 Gbit/s are 125,000. */
  readonly bytesPerMs?: number;
  /** Milliseconds that each byte is under way, beside its turn. */
  readonly delayMs?: number;
}

/** Bytes that are always taken: what a socket's buffers hold. */
const HELD = 64 << 10;
/** Bytes a millisecond that may be under way where a link has no rate: 10 Gbit/s. */
const UNLIMITED = 1_250_000;
/** A packet; nothing is delivered in smaller parts. */
const PACKET = 1448;

interface Parcel {
  readonly bytes: Buffer;
  readonly due: number;
}

/** One direction of a link: bytes leave one after the other at its rate and arrive a delay later. */
export class ShapedPipe {
  /** Bytes that have been delivered. */
  carried = 0;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #shape: () => LinkShape;
  readonly #queue: Parcel[] = [];
  #held = 0;
  /** When the link is free for the next byte. */
  #free = 0;
  #timer: NodeJS.Timeout | undefined;
  #stalled = false;
  #ended = false;

  /** @param through what becomes of what comes, before it is sent; as it is by default */
  constructor(from: Socket, to: Socket, shape: () => LinkShape, through: (bytes: Buffer) => Iterable<Buffer> = whole) {
    this.#from = from;
    this.#to = to;
    this.#shape = shape;
    from.on('data', (bytes) => {
      for (const each of through(bytes)) this.#take(each);
      this.#deliver();
      if (this.#held > this.#room()) from.pause();
    });
    from.on('error', () => undefined); // close follows
    const ended = (): void => {
      this.#ended = true;
      this.#deliver();
    };
    from.once('end', ended).once('close', ended);
  }

  /** Delivers nothing, ends included, until `go`. */
  stall(): void {
    this.#stalled = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  go(): void {
    this.#stalled = false;
    this.#deliver();
  }

  #room(): number {
    const { bytesPerMs = UNLIMITED, delayMs = 0 } = this.#shape();
    return HELD + bytesPerMs * delayMs;
  }

  #take(bytes: Buffer): void {
    const { bytesPerMs = Infinity, delayMs = 0 } = this.#shape();
    const size = Math.max(PACKET, Math.floor(Math.min(bytesPerMs, bytes.length)));
    for (let at = 0; at < bytes.length; at += size) {
      const part = bytes.subarray(at, at + size);
      this.#free = Math.max(this.#free, performance.now()) + part.length / bytesPerMs;
      this.#queue.push({ bytes: part, due: this.#free + delayMs });
      this.#held += part.length;
    }
  }

  #deliver(): void {
    if (this.#stalled || this.#timer !== undefined) return;
    const now = performance.now();
    let count = 0;
    while (count < this.#queue.length && this.#queue[count].due <= now) count++;
    for (const { bytes } of this.#queue.splice(0, count)) {
      this.#held -= bytes.length;
      this.carried += bytes.length;
      if (this.#to.writable) this.#to.write(bytes);
    }
    if (this.#held <= this.#room() && this.#from.isPaused()) this.#from.resume();
    if (this.#queue.length > 0) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#deliver();
      }, this.#queue[0].due - now);
    } else if (this.#ended) this.#to.end();
  }
}

const whole = (bytes: Buffer): Iterable<Buffer> => [bytes];
