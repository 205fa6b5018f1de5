import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockPool, blocksFor } from '../../src/scheduler/block-pool.js';

const actions = fc.array(
  fc.record({ kind: fc.constantFrom('allocate' as const, 'share' as const, 'release' as const), pick: fc.nat() }),
  { maxLength: 200 },
);

describe('BlockPool', () => {
  it('hands out the blocks in order, then none', () => {
    const pool = new BlockPool(3);
    expect([pool.allocate(), pool.allocate(), pool.allocate(), pool.allocate()]).toEqual([0, 1, 2, undefined]);
    expect(pool.free).toBe(0);
    expect(new BlockPool(0).allocate()).toBeUndefined();
  });

  it('refuses to share or release what is free', () => {
    const pool = new BlockPool(2);
    expect(() => pool.share(1)).toThrow('block 1 is free and cannot be shared');
    expect(() => pool.release(0)).toThrow('block 0 was released more often than it was taken');
    const block = pool.allocate()!;
    pool.release(block);
    expect(() => pool.release(block)).toThrow('more often');
  });

  it('behaves as a count of holders for each block, whatever happens', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), actions, (blocks, list) => {
        const pool = new BlockPool(blocks);
        const holders = new Map<number, number>();
        for (const action of list) {
          const held = [...holders.keys()];
          if (action.kind === 'allocate') {
            const block = pool.allocate();
            expect(block === undefined).toBe(held.length === blocks);
            if (block === undefined) continue;
            expect(holders.has(block), 'handed out twice').toBe(false);
            expect(block).toBeLessThan(blocks);
            holders.set(block, 1);
          } else if (held.length > 0) {
            const block = held[action.pick % held.length];
            const count = holders.get(block)! + (action.kind === 'share' ? 1 : -1);
            pool[action.kind](block);
            if (count === 0) holders.delete(block);
            else holders.set(block, count);
          }
          expect(pool.free).toBe(blocks - holders.size);
        }
        for (const [block, count] of holders) for (let i = 0; i < count; i++) pool.release(block);
        expect(pool.free).toBe(blocks);
        expect(new Set(Array.from({ length: blocks }, () => pool.allocate())).size).toBe(blocks);
      }),
    );
  });
});

describe('blocksFor', () => {
  it.each([
    [0, 0],
    [1, 1],
    [15, 1],
    [16, 1],
    [17, 2],
    [4096, 256],
  ])('%i tokens take %i blocks', (tokens, blocks) => expect(blocksFor(tokens, 16)).toBe(blocks));
});
