import { describe, expect, it } from 'vitest';
import { BufferPool } from '../../src/cluster/buffer-pool.js';
import { encodeHead, FrameReader } from '../../src/cluster/frame.js';
import { crc } from '../../src/platform/node/wire/hello.js';

describe('a pool of buffers', () => {
  it('gives what it has again where it is large enough, whole', () => {
    const pool = new BufferPool();
    const [small, large] = [pool.take(10), pool.take(100)];
    pool.give(large);
    pool.give(small);
    const again = pool.take(50);
    expect([again.buffer, again.length]).toEqual([large.buffer, 50]);
    expect(pool.take(50).buffer, 'what is out is nobody else’s').not.toBe(large.buffer);
    pool.give(again);
    expect(pool.take(100).buffer).toBe(large.buffer);
    expect(pool.take(10).buffer).toBe(small.buffer);
  });

  it('keeps payloads of frames apart until they are given back', () => {
    const pool = new BufferPool();
    const reader = new FrameReader(crc, pool);
    const kept: Uint8Array[] = [];
    const frame = (fill: number): Buffer => {
      const payload = new Uint8Array(1000).fill(fill);
      return Buffer.concat([encodeHead({ type: 'blocks', stream: 1 }, payload, crc), payload]);
    };
    reader.push(Buffer.concat([frame(1), frame(2)]), (_head, payload) => {
      kept.push(payload);
      reader.keep();
    });
    expect(kept.map((payload) => new Set(payload))).toEqual([new Set([1]), new Set([2])]);
    const [first] = kept as Uint8Array<ArrayBuffer>[];
    pool.give(first);
    reader.push(frame(3), (_head, payload) => expect(payload.buffer).toBe(first.buffer));
    expect(new Set(kept[1])).toEqual(new Set([2]));
  });
});
