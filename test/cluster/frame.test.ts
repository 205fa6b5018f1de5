import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHead, encodeHead, FRAME_TYPES, FrameReader, HEAD_BYTES } from '../../src/cluster/frame.js';
import { crc } from '../../src/platform/node/wire/hello.js';

const u16 = fc.nat({ max: 0xffff });
const u32 = fc.nat({ max: 0x7fffffff });
const frames = fc.array(
  fc.record({
    frame: fc.record({
      type: fc.constantFrom(...FRAME_TYPES),
      ...{ stream: u32, firstBlock: u32, blocks: u32, firstLayer: u16, layers: u16 },
    }),
    payload: fc.uint8Array({ maxLength: 80 }),
  }),
  { minLength: 1, maxLength: 6 },
);
const bytesOf = ({ frame, payload }: { frame: Parameters<typeof encodeHead>[0]; payload: Uint8Array }): Buffer =>
  Buffer.concat([encodeHead(frame, payload, crc), payload]);

describe('frames', () => {
  it('come out as they went in, whatever pieces the bytes come in', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (list, cuts) => {
        const all = Buffer.concat(list.map(bytesOf));
        const reader = new FrameReader(crc);
        const found: unknown[] = [];
        for (let at = 0, turn = 0; at < all.length; turn++) {
          const piece = all.subarray(at, at + cuts[turn % cuts.length]);
          at += piece.length;
          reader.push(piece, ({ bytes, crc: _, ...frame }, payload) => {
            expect(bytes).toBe(payload.length);
            found.push({ frame, payload: Uint8Array.from(payload) });
          });
        }
        expect(found).toEqual(list.map(({ frame, payload }) => ({ frame, payload: Uint8Array.from(payload) })));
      }),
    );
  });

  it('are refused where a bit has flipped', () => {
    fc.assert(
      fc.property(frames, fc.nat(), ([one], flip) => {
        const bytes = bytesOf(one);
        const bit = flip % (8 * bytes.length);
        bytes[bit >> 3] ^= 1 << (bit & 7);
        expect(() => new FrameReader(crc).push(bytes, () => expect.fail('taken'))).toThrow(RangeError);
      }),
    );
  });

  it('have a head of 32 bytes, and a payload no longer than is allowed', () => {
    const head = encodeHead({ type: 'want', stream: 7, firstBlock: 3 }, new Uint8Array(100), crc);
    expect(head.length).toBe(HEAD_BYTES);
    expect(decodeHead(head, crc)).toMatchObject({ type: 'want', stream: 7, firstBlock: 3, blocks: 0, bytes: 100 });
    const reader = new FrameReader(crc);
    reader.most = 99;
    expect(() => reader.push(head, () => undefined)).toThrow('damaged');
  });
});
