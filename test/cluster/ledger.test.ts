import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MOST_RETRIES, RequestLedger } from '../../src/cluster/ledger.js';

/** A message on its way: a slice of the answer as the worker of an attempt sent it, or word of its end. */
interface Message {
  readonly attempt: number;
  readonly index: number;
  readonly ids: readonly number[];
  readonly end: boolean;
}

const event = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('send' as const), count: fc.integer({ min: 0, max: 4 }) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('deliver' as const), which: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('again' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lose' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stale' as const), attempt: fc.nat({ max: 5 }) }) },
);

describe('the ledger of requests', () => {
  it('has each id once and in its place, whatever comes late, twice, in another order or from who is not asked', () => {
    const property = fc.property(
      fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 30 }),
      fc.array(event, { maxLength: 120 }),
      (answer, events) => {
        const ledger = new RequestLedger();
        const entry = ledger.open('r');
        const sent: Message[] = [];
        const seen: number[] = [];
        let at = 0;
        const place = (): void => {
          ledger.place('r', `w${entry.attempt}`);
          at = entry.ids.length;
        };
        const deliver = ({ attempt, index, ids, end }: Message): void => {
          const before = entry.ids.length;
          const current = ledger.isCurrent('r', attempt);
          const taken = ledger.take('r', attempt, index, ids);
          if (taken === 'stale') expect(current).toBe(false);
          else if (taken === 'gap') expect(index).toBeGreaterThan(before);
          else {
            expect(taken.skipped + taken.fresh.length).toBe(ids.length);
            seen.push(...taken.fresh);
          }
          if (end) {
            const ended = ledger.end('r', attempt, index + ids.length);
            expect(ended === 'ended').toBe(current && entry.ids.length === answer.length);
          }
          // Who asks again from where it is gets the rest.
          if (taken === 'gap') at = entry.ids.length;
        };
        place();
        for (const each of events) {
          if (entry.state === 'ended' || entry.state === 'failed') break;
          if (each.kind === 'send') {
            const ids = answer.slice(at, at + each.count);
            sent.push({ attempt: entry.attempt, index: at, ids, end: at + ids.length === answer.length });
            at += ids.length;
          } else if (each.kind === 'deliver' && sent.length > 0) deliver(sent.splice(each.which % sent.length, 1)[0]);
          else if (each.kind === 'again' && sent.length > 0) deliver(sent[each.which % sent.length]);
          else if (each.kind === 'lose') {
            const { attempt } = entry;
            const next = ledger.lose('r', attempt);
            expect(next).toBe(attempt <= MOST_RETRIES ? 'again' : 'failed');
            expect(ledger.lose('r', attempt), 'twice').toBe('stale');
            if (next === 'again') place();
          } else if (each.kind === 'stale' && each.attempt !== entry.attempt) {
            expect(ledger.take('r', each.attempt, 0, [99])).toBe('stale');
            expect(ledger.end('r', each.attempt, 0)).toBe('stale');
            expect(ledger.lose('r', each.attempt)).toBe('stale');
          }
          expect(entry.ids).toEqual(answer.slice(0, entry.ids.length));
          expect(seen).toEqual(entry.ids);
          expect(entry.attempt).toBeLessThanOrEqual(1 + MOST_RETRIES);
        }
        if (entry.state === 'ended') expect(seen).toEqual(answer);
        expect(ledger.size).toBe(entry.state === 'ended' || entry.state === 'failed' ? 0 : 1);
      },
    );
    fc.assert(property);
  });

  it('knows who has what, who has lost it, and who waits, in their order', () => {
    const ledger = new RequestLedger();
    for (const id of ['a', 'b', 'c']) ledger.open(id);
    expect(() => ledger.open('a')).toThrow('request a is there already');
    ledger.place('a', 'x');
    ledger.place('c', 'x');
    expect(() => ledger.place('a', 'y')).toThrow('request a does not wait');
    expect(ledger.of('x').map(({ id }) => id)).toEqual(['a', 'c']);
    expect(ledger.lose('a', 1)).toBe('again');
    expect(ledger.get('a')).toMatchObject({ worker: undefined, lostBy: ['x'], state: 'waiting' });
    expect(ledger.waiting.map(({ id }) => id)).toEqual(['a', 'b']);
    ledger.close('b');
    ledger.close('b');
    expect(ledger.size).toBe(2);
    expect(ledger.open('d', [1, 2]).ids).toEqual([1, 2]);
  });
});
