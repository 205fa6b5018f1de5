import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { announcementOf, orderFor, type Announcement } from '../../src/cluster/control/announcement.js';
import { newEpoch } from '../../src/cluster/control/epoch.js';
import { GONE_MS, Membership } from '../../src/cluster/control/membership.js';
import { addressText } from '../../src/cluster/address.js';

const address = (port: number) => ({ host: '127.0.0.1', port });
const said = (port: number, epoch: string, more: Partial<Announcement> = {}): Announcement => ({
  ...{ worker: addressText(address(port)), epoch, address: address(port), role: 'both', state: 'up' },
  ...more,
});

describe('who is there', () => {
  it('is who was heard of lately: newcomers, changes, those that leave, and those of whom nothing is heard', () => {
    const members = new Membership();
    expect(members.hear(said(1, 'a'), 0)).toBe('new');
    expect(members.hear(said(1, 'a'), 500)).toBe('same');
    expect(members.hear(said(1, 'a', { state: 'draining' }), 600)).toBe('changed');
    expect(members.hear(said(1, 'a', { state: 'left' }), 700)).toBe('left');
    expect(members.all).toEqual([]);
    expect(members.hear(said(1, 'b'), 1000)).toBe('new');
    expect(members.takeSilent(1000 + GONE_MS - 1)).toEqual([]);
    members.listenFrom(2000);
    expect(members.takeSilent(2000 + GONE_MS - 1)).toEqual([]);
    expect(
      members.takeSilent(2000 + GONE_MS, () => true),
      'it answers otherwise',
    ).toEqual([]);
    expect(members.takeSilent(2000 + GONE_MS)).toEqual(['127.0.0.1:1']);
    expect(members.hear(said(1, 'b'), 9000), 'it was only cut off').toBe('new');
  });

  it('nothing of an earlier process counts, whatever comes late, twice or in another order', () => {
    const heard = fc.record({
      port: fc.integer({ min: 1, max: 2 }),
      epoch: fc.constantFrom('a', 'b', 'c'),
      state: fc.constantFrom('up' as const, 'draining' as const, 'left' as const),
      after: fc.integer({ min: 0, max: GONE_MS }),
    });
    const property = fc.property(fc.array(heard), (all) => {
      const members = new Membership();
      const newest = new Map<number, string>();
      let now = 0;
      for (const { port, epoch, state, after } of all) {
        members.takeSilent((now += after));
        const before = members.get(addressText(address(port)));
        const what = members.hear(said(port, epoch, { state }), now);
        if (epoch < (newest.get(port) ?? '')) {
          expect(what).toBe('stale');
          expect(members.get(addressText(address(port)))).toEqual(before);
        } else newest.set(port, epoch);
        for (const { worker, epoch: known } of members.all) expect(newest.get(Number(worker.slice(-1)))).toBe(known);
      }
    });
    fc.assert(property);
  });

  it('processes have names that grow with the time they began', () => {
    const times = [0, 1, 35, 36, 999_999_999, Date.now(), 2e13];
    const epochs = times.map((ms) => newEpoch(ms));
    expect([...epochs].sort()).toEqual(epochs);
    expect(newEpoch(5)).not.toBe(newEpoch(5));
  });

  it('what is no announcement and no order for us is left alone', () => {
    const good = said(1, 'a');
    expect(announcementOf(JSON.parse(JSON.stringify(good)))).toEqual(good);
    for (const bad of [null, 3, {}, { ...good, role: 'king' }, { ...good, worker: 'else:1' }, { ...good, state: '' }]) {
      expect(announcementOf(bad)).toBeUndefined();
    }
    const { worker } = good;
    expect(orderFor(good, { worker, order: 'drain' })).toMatchObject({ order: 'drain' });
    expect(orderFor(good, { worker, epoch: 'a', order: 'drain' })).toBeDefined();
    expect(orderFor(good, { worker, order: 'role', pool: 'decode' })).toMatchObject({ pool: 'decode' });
    expect(orderFor(good, { worker, order: 'role', pool: 'king' })).toBeUndefined();
    for (const other of [null, { worker, epoch: 'b', order: 'drain' }, { worker: 'x:1', order: 'drain' }, { worker }]) {
      expect(orderFor(good, other)).toBeUndefined();
    }
  });
});
