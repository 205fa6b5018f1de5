import { describe, expect, it } from 'vitest';
import { EventQueue, RANK } from '../../src/simulator/event-queue.js';
import { Links } from '../../src/simulator/links.js';

/** When flows arrive that start at given times: from, to, bytes, withheld until. */
function arrivals(
  flows: readonly { at: number; from: number; to: number; bytes: number; withheld?: number; allowedAt?: number }[],
  { capacity = () => 10, shared = true }: { capacity?: (machine: number) => number; shared?: boolean } = {},
): number[] {
  const events = new EventQueue();
  const links = new Links(events, capacity, shared);
  const ends: number[] = flows.map(() => NaN);
  flows.forEach(({ at, from, to, bytes, withheld = 0, allowedAt }, index) => {
    events.at(at, RANK.arrival, () => {
      const flow = links.start(from, to, bytes, withheld, () => (ends[index] = events.now));
      if (allowedAt !== undefined) events.at(allowedAt, RANK.end, () => links.allow(flow));
    });
  });
  while (events.step());
  return ends;
}

describe('links', () => {
  it('give a flow alone the slower of its two ends', () => {
    const capacity = (machine: number): number => [10, 4][machine];
    expect(arrivals([{ at: 1, from: 0, to: 1, bytes: 20 }], { capacity })[0]).toBeCloseTo(6, 9);
  });

  it('share what flows have in common, and give what is left to the others', () => {
    // Three flows leave machine 0 (10 B/s), one of them to machine 1, which takes only 2: it gets 2, the others 4 each.
    const capacity = (machine: number): number => (machine === 1 ? 2 : 10);
    const ends = arrivals(
      [1, 2, 3].map((to) => ({ at: 0, from: 0, to, bytes: 8 })),
      { capacity },
    );
    // After 2 s the two of 4 B/s are done and the first, which had 4 bytes, goes on at its own 2.
    expect(ends[1]).toBeCloseTo(2, 9);
    expect(ends[2]).toBeCloseTo(2, 9);
    expect(ends[0]).toBeCloseTo(4, 9);
  });

  it('hand a share on when a flow has arrived', () => {
    // Alone for 1 s (10 bytes), then halves: the second has 5 B/s until the first has its other 10 after 2 s more.
    const ends = arrivals([
      { at: 0, from: 0, to: 1, bytes: 20 },
      { at: 1, from: 0, to: 2, bytes: 15 },
    ]);
    expect(ends[0]).toBeCloseTo(3, 9);
    expect(ends[1]).toBeCloseTo(3.5, 9);
  });

  it('give everybody all where links are not shared', () => {
    const ends = arrivals(
      [1, 2].map((to) => ({ at: 0, from: 0, to, bytes: 20 })),
      { shared: false },
    );
    expect(ends).toEqual([2, 2]);
  });

  it('hold back what may not move yet', () => {
    // 15 of 20 bytes move by 1.5 s; the rest waits until 4 s and takes half a second.
    const ends = arrivals([{ at: 0, from: 0, to: 1, bytes: 20, withheld: 5, allowedAt: 4 }]);
    expect(ends[0]).toBeCloseTo(4.5, 9);
  });
});

describe('events', () => {
  it('happen by time, then rank, then entry, and cancelled ones not at all', () => {
    const events = new EventQueue();
    const seen: string[] = [];
    const enter = (time: number, rank: number, name: string) => events.at(time, rank, () => void seen.push(name));
    enter(2, RANK.end, 'late');
    enter(1, RANK.arrival, 'arrival');
    enter(1, RANK.end, 'end');
    enter(1, RANK.end, 'second end');
    enter(0.5, RANK.end, 'taken back').cancelled = true;
    while (events.step());
    expect(seen).toEqual(['end', 'second end', 'arrival', 'late']);
    expect(() => enter(1, RANK.end, 'past')).toThrow('cannot be entered');
  });
});
