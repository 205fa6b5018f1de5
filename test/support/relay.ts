import { HEAD_BYTES, encodeHead, FrameReader, type FrameHead } from '../../src/cluster/frame.js';
import { crc } from '../../src/platform/node/wire/hello.js';
import type { Through } from '../../bench/disaggregate/relay.js';

/** What becomes of a frame on its way. */
type Fault = (frame: Buffer, head: FrameHead) => Iterable<Buffer>;

/** Has a link do something to whole frames. @param fault made anew for each connection */
export function faulty(fault: () => Fault): Through {
  return () => {
    const reader = new FrameReader(crc);
    const each = fault();
    return (bytes) => {
      const out: Buffer[] = [];
      reader.push(bytes, (head, payload) =>
        out.push(...each(Buffer.concat([encodeHead(head, payload, crc), payload]), head)),
      );
      return out;
    };
  };
}

/** Every frame of a type comes twice. */
export const twice =
  (type: FrameHead['type']): (() => Fault) =>
  () =>
  (frame, head) =>
    head.type === type ? [frame, frame] : [frame];

/** Frames of a type come in pairs, the later one first; one that is followed by another type comes before that. */
export function swapped(type: FrameHead['type']): () => Fault {
  return () => {
    let held: Buffer | undefined;
    return (frame, head) => {
      const before = held;
      held = undefined;
      if (head.type !== type) return before === undefined ? [frame] : [before, frame];
      if (before !== undefined) return [frame, before];
      held = frame;
      return [];
    };
  };
}

/** A bit of the `nth` frame of a type is another one; of its payload where it has one. */
export function flipped(type: FrameHead['type'], nth: number): () => Fault {
  let seen = 0;
  return () => (frame, head) => {
    if (head.type !== type || ++seen !== nth) return [frame];
    const bad = Buffer.from(frame);
    bad[Math.max(HEAD_BYTES, frame.length >> 1) % frame.length] ^= 0x10;
    return [bad];
  };
}

/** Half of the `nth` frame of a type comes, and then nothing more by this connection. @param cut ends it */
export function torn(type: FrameHead['type'], nth: number, cut: () => void): () => Fault {
  let seen = 0;
  return () => {
    let over = false;
    return (frame, head) => {
      if (over) return [];
      if (head.type !== type || ++seen !== nth) return [frame];
      over = true;
      setImmediate(cut);
      return [frame.subarray(0, frame.length >> 1)];
    };
  };
}
