import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockIndex } from '../../src/cluster/control/block-index.js';
import { SUBJECTS } from '../../src/cluster/control/bus.js';
import { BlockTeller, blockEventsOf } from '../../src/cluster/control/block-events.js';
import { NameSets } from '../../src/cluster/name-sets.js';
import { LossyBus } from '../support/lossy-bus.js';

const name = (at: number): string => String.fromCharCode(...Array.from({ length: 32 }, (_, i) => (at * 7 + i) % 256));
const WORKER = '127.0.0.1:1';

describe('what is in a worker’s cache', () => {
  it('is known elsewhere in the end, whatever becomes of messages', async () => {
    const act = fc.record({
      block: fc.integer({ min: 0, max: 5 }),
      isThere: fc.boolean(),
      fate: fc.constantFrom('pass' as const, 'lose' as const, 'twice' as const, 'keep' as const),
    });
    const property = fc.asyncProperty(fc.array(act, { maxLength: 8 }), async (acts) => {
      const bus = new LossyBus();
      const names = new NameSets();
      const index = new BlockIndex(bus, names);
      const about = { worker: WORKER, epoch: 'b' };
      const teller = new BlockTeller(bus, about);
      const there = new Set<number>();
      for (const { block, isThere, fate } of acts) {
        bus.fate = fate;
        if (isThere) teller.published(name(block));
        else teller.evicted(name(block));
        if (isThere) there.add(block);
        else there.delete(block);
        await new Promise((resolve) => setTimeout(resolve, 55));
      }
      bus.fate = 'pass';
      bus.release();
      const announce = (): void =>
        index.announced({
          ...about,
          address: { host: '127.0.0.1', port: 1 },
          role: 'both',
          state: 'up',
          blocks: teller.seq,
        });
      for (let block = 0; block <= 5; block++) {
        await expect
          .poll(() => {
            announce();
            return names.beginning(WORKER, [name(block)]);
          })
          .toBe(there.has(block) ? 1 : 0);
      }
      teller.close();
    });
    await fc.assert(property, { numRuns: 8 });
  });

  it('is told in parts where messages are small', async () => {
    const bus = new LossyBus();
    bus.mostBytes = 256;
    const names = new NameSets();
    const index = new BlockIndex(bus, names);
    let parts = 0;
    bus.subscribe(SUBJECTS.blocks, () => void parts++);
    const teller = new BlockTeller(bus, { worker: WORKER, epoch: 'b' });
    const all = Array.from({ length: 100 }, (_, at) => name(at));
    all.forEach((one) => teller.published(one));
    await expect.poll(() => names.beginning(WORKER, all)).toBe(100);
    expect(parts).toBeGreaterThan(7);
    expect(index).toBeDefined();
    teller.close();
  });

  it('of an earlier process counts no more, and what was sent there is likely to be there', () => {
    const names = new NameSets();
    const told = (epoch: string, seq: number, add: number[], all = false) =>
      names.apply({ worker: WORKER, epoch, seq, add: add.map((at) => btoa(name(at).slice(0, 12))), drop: [], all });
    expect(told('b', 1, [1]), 'nothing is known yet').toBe(false);
    expect(told('b', 2, [1, 2], true)).toBe(true);
    expect(names.beginning(WORKER, [name(1), name(2), name(3)])).toBe(2);
    expect(told('a', 9, [3], true), 'an earlier process').toBe(true);
    expect(names.beginning(WORKER, [name(3)])).toBe(0);
    expect(told('b', 4, [3]), 'one in between is missing').toBe(false);
    expect(names.isBehind(WORKER, 'b', 4)).toBe(true);
    expect(told('c', 1, [4], true)).toBe(true);
    expect([1, 4].map((at) => names.beginning(WORKER, [name(at)]))).toEqual([0, 1]);
    names.add(WORKER, [name(5)]);
    expect(names.beginning(WORKER, [name(4), name(5)])).toBe(2);
    expect(names.gaps).toBe(2);
  });

  it('is not told by who sends something else', () => {
    for (const bad of [
      null,
      {},
      { worker: 'w', epoch: 'e', seq: 1.5, add: [], drop: [] },
      { worker: 'w', epoch: 'e', seq: 1, add: [3], drop: [] },
    ]) {
      expect(blockEventsOf(bad)).toBeUndefined();
    }
  });
});
