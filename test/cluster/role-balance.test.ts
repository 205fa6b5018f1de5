import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DWELL_MS,
  LEAST_MS,
  rebalance,
  SETTLE_MS,
  type PoolMember,
  type WorkerPool,
} from '../../src/cluster/role-balance.js';

const member = (name: string, pool: WorkerPool, more: Partial<PoolMember> = {}): PoolMember => ({
  ...{ name, pool, isFree: true, movedAt: 0, promptMs: 0, decodeMs: 0 },
  ...more,
});
const LATER = 1e6;

/** The same workers after moves, as long as there are any. */
function settled(
  members: readonly PoolMember[],
  now: number,
): { readonly members: PoolMember[]; readonly moves: number } {
  let all = [...members];
  for (let moves = 0; ; moves++) {
    const move = rebalance(all, now);
    if (move === undefined) return { members: all, moves };
    if (moves > 100) throw new Error('it does not settle');
    all = all.map((each) => (each.name === move.name ? { ...each, pool: move.pool, movedAt: now } : each));
    now += DWELL_MS;
  }
}
const doing = (members: readonly PoolMember[], pool: 'prefill' | 'decode'): number =>
  members.filter((each) => each.pool === pool || each.pool === 'both').length;

describe('workers that change their phase', () => {
  it('do both alone, one each when there are two, and go where the queue is', () => {
    expect(settled([member('a', 'decode')], LATER).members[0].pool).toBe('both');
    const two = settled([member('a', 'both'), member('b', 'both')], LATER).members;
    expect(two.map(({ pool }) => pool)).toEqual(['decode', 'prefill']);
    const busy = [
      member('p', 'prefill', { promptMs: 6000 }),
      member('d', 'decode', { decodeMs: 300 }),
      member('e', 'decode', { decodeMs: 200 }),
    ];
    expect(rebalance(busy, LATER)).toEqual({ name: 'e', pool: 'prefill' });
    expect(rebalance(busy.slice(0, 2), LATER), 'nobody answers else').toBeUndefined();
    const fixed = [busy[0], ...busy.slice(1).map((each) => ({ ...each, isFree: false }))];
    expect(rebalance(fixed, LATER), 'they are what they are told to be').toBeUndefined();
    expect(rebalance([member('p', 'prefill'), member('q', 'prefill')], 0), 'whoever answered has gone').toEqual({
      ...{ name: 'p', pool: 'decode' },
    });
  });

  const members = fc
    .array(
      fc.record({
        pool: fc.constantFrom<WorkerPool>('prefill', 'decode', 'both'),
        isFree: fc.boolean(),
        movedAt: fc.integer({ min: 0, max: 20_000 }),
        promptMs: fc.integer({ min: 0, max: 20_000 }),
        decodeMs: fc.integer({ min: 0, max: 20_000 }),
      }),
      { minLength: 1, maxLength: 8 },
    )
    .map((all) => all.map((each, at): PoolMember => ({ ...each, name: String(at) })));

  it('settle, with both phases done where there are two that may', () => {
    const property = fc.property(members, (all) => {
      const { members: after } = settled(all, LATER);
      if (all.filter(({ isFree }) => isFree).length < 2) return;
      expect(doing(after, 'prefill')).toBeGreaterThan(0);
      expect(doing(after, 'decode')).toBeGreaterThan(0);
    });
    fc.assert(property);
  });

  it('stay where they are for a while, where nothing waits, and do not go back at the same load', () => {
    const property = fc.property(members, fc.integer({ min: 0, max: 40_000 }), (given, now) => {
      const all = given.map((each) =>
        each.isFree && each.pool === 'both' ? { ...each, pool: 'decode' as const } : each,
      );
      const move = rebalance(all, now);
      if (move === undefined || all.length === 1) return;
      const before = all.find(({ name }) => name === move.name)!;
      expect(before.isFree).toBe(true);
      if (doing(all, 'prefill') === 0 || doing(all, 'decode') === 0) return;
      expect(now - before.movedAt).toBeGreaterThanOrEqual(DWELL_MS);
      for (const { movedAt } of all) expect(now - movedAt).toBeGreaterThanOrEqual(SETTLE_MS);
      const total = (key: 'promptMs' | 'decodeMs'): number => all.reduce((sum, each) => sum + each[key], 0);
      const queue = Math.max(total('promptMs') / doing(all, 'prefill'), total('decodeMs') / doing(all, 'decode'));
      expect(queue).toBeGreaterThanOrEqual(LEAST_MS);
      const after = all.map((each) => (each === before ? { ...each, pool: move.pool, movedAt: now } : each));
      const back = rebalance(after, now + DWELL_MS);
      expect(back?.pool === before.pool).toBe(false);
    });
    fc.assert(property);
  });
});
