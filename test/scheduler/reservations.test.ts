import { describe, expect, it } from 'vitest';
import { Scheduler } from '../../src/scheduler/scheduler.js';
import { ScheduledSequence } from '../../src/scheduler/sequence.js';

const limits = { sequences: 3, blocks: 10, blockTokens: 4, stepTokens: 64 };
const sequence = (id: number, tokens: number, blockNames: string[] = []): ScheduledSequence =>
  new ScheduledSequence(id, tokens, 20, { blockNames });

describe('a reservation', () => {
  it('holds what is there and makes room for the rest, within half of the cache', () => {
    const scheduler = new Scheduler(limits);
    const first = scheduler.reserve(['a', 'ab', 'abc'])!;
    expect([first.beginning, first.blocks.length, scheduler.freeBlocks]).toEqual([0, 3, 7]);
    first.publish(0);
    first.publish(1);
    const second = scheduler.reserve(['a', 'ab', 'abd'])!;
    expect([second.beginning, second.blocks.slice(0, 2)]).toEqual([2, first.blocks.slice(0, 2)]);
    expect(scheduler.reserved).toMatchObject({ count: 2, blocks: 4 });
    expect(scheduler.reserve(['x', 'xy'])).toBeUndefined();
    first.end();
    second.end();
    expect(scheduler.reserved).toMatchObject({ count: 0, blocks: 0 });
    expect([scheduler.freeBlocks, ...['a', 'ab', 'abc'].map((name) => scheduler.has(name))]).toEqual([
      10,
      true,
      true,
      false,
    ]);
  });

  it('leaves what was published to be found, and a sequence computes the rest', () => {
    const scheduler = new Scheduler(limits);
    const reservation = scheduler.reserve(['a', 'ab', 'abc'])!;
    reservation.publish(0);
    const next = sequence(0, 14, ['a', 'ab', 'abc']);
    scheduler.add(next);
    expect(scheduler.next()!.prefill).toMatchObject([{ begin: 4, end: 14 }]);
    expect([next.cachedTokens, next.blocks[0]]).toEqual([4, reservation.blocks[0]]);
    reservation.end();
    scheduler.finish(next);
    expect(scheduler.freeBlocks).toBe(10);
  });

  it('gives way to sequences that run, the last first, and may then not be written to', () => {
    const scheduler = new Scheduler(limits);
    const running = sequence(0, 21);
    scheduler.add(running);
    scheduler.next();
    const taken: string[] = [];
    const [a, b] = ['a', 'b'].map((name) => scheduler.reserve([name], { onTakenBack: () => taken.push(name) })!);
    expect(scheduler.freeBlocks).toBe(2);
    for (let step = 0; step < 12; step++) {
      scheduler.deliver(running);
      scheduler.next();
    }
    expect([taken, a.open, b.open]).toEqual([['b'], true, false]);
    expect(() => b.publish(0)).toThrow('has ended');
    expect(scheduler.counts.preemptions).toBe(0);
    a.end();
    a.end();
    expect(scheduler.freeBlocks).toBe(1);
  });

  it('gives way to a newcomer that came before it, and keeps its place before one that came later', () => {
    const scheduler = new Scheduler(limits);
    scheduler.add(sequence(0, 20));
    scheduler.next();
    const reservation = scheduler.reserve(['a', 'b', 'c'])!;
    scheduler.add(sequence(1, 8));
    expect(scheduler.next()!.prefill, 'the later one waits').toEqual([]);
    expect(reservation.open).toBe(true);
    const urgent = new ScheduledSequence(2, 8, 1, { priority: -1 });
    scheduler.add(urgent);
    expect(scheduler.next()!.prefill.map(({ sequence: { id } }) => id)).toEqual([2]);
    expect(reservation.open).toBe(false);
  });

  it('keeps nobody waiting where nobody runs', () => {
    const scheduler = new Scheduler(limits);
    const reservation = scheduler.reserve(['a', 'b', 'c', 'd', 'e'])!;
    scheduler.add(sequence(0, 21));
    expect(scheduler.next()!.prefill).toHaveLength(1);
    expect(reservation.open).toBe(false);
  });

  it('is not taken back where that would help nobody', () => {
    const scheduler = new Scheduler(limits);
    scheduler.add(sequence(0, 20));
    scheduler.next();
    scheduler.add(sequence(1, 20));
    const reservation = scheduler.reserve(['a', 'b'])!;
    scheduler.next();
    expect([reservation.open, scheduler.waiting]).toEqual([true, 1]);
  });

  it('tells which contents can be found, and which no longer', () => {
    const told: string[] = [];
    const names = {
      published: (name: string) => void told.push(`+${name}`),
      evicted: (name: string) => void told.push(`-${name}`),
    };
    const scheduler = new Scheduler({ ...limits, blocks: 2 }, { names, reserve: 2 });
    const reservation = scheduler.reserve(['a', 'ab'])!;
    reservation.publish(1);
    reservation.publish(0);
    reservation.end();
    scheduler.reserve(['x']);
    expect(told).toEqual(['+ab', '+a', '-ab']);
  });
});
