import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alone, pair, PLACEMENTS, Placer, type WorkerCandidate, type Placeable } from '../../src/cluster/placement.js';

const candidate = (name: string, more: Partial<WorkerCandidate> = {}): WorkerCandidate => ({
  ...{ name, address: { host: name, port: 1 }, prefills: false, decodes: true, requests: 0, queuedTokens: 0 },
  ...{ speed: { promptToken: 1, step: 5 }, hit: 0, rate: 1e6 },
  ...more,
});
const helper = (name: string, more: Partial<WorkerCandidate> = {}): WorkerCandidate =>
  candidate(name, { prefills: true, decodes: false, ...more });
const request = (more: Partial<Placeable> = {}): Placeable => ({
  ...{ promptTokens: 400, tokenBytes: 4096, chunk: 512, lostBy: [] },
  ...more,
});
const names = (
  kind: (typeof PLACEMENTS)[number],
  asked: Placeable,
  all: readonly WorkerCandidate[],
  times = 1,
): string[] => {
  const placer = new Placer(kind);
  return Array.from({ length: times }, () => {
    const { decode, prefill } = placer.place(asked, all)!;
    return [decode.name, ...(prefill === undefined ? [] : [prefill.name])].join(' ');
  });
};

describe('requests are placed', () => {
  it('by turns', () => {
    const all = [candidate('a'), candidate('b'), helper('p'), helper('q'), helper('r')];
    expect(names('round-robin', request(), all, 4)).toEqual(['a p', 'b q', 'a r', 'b p']);
    expect(names('round-robin', request({ promptTokens: 16 }), all, 2)).toEqual(['a', 'b']);
  });

  it('where the fewest are', () => {
    const all = [
      candidate('a', { requests: 2 }),
      candidate('b', { requests: 1 }),
      helper('p', { requests: 1 }),
      helper('q'),
    ];
    expect(names('least-loaded', request(), all)).toEqual(['b q']);
  });

  it('where they cost least: short or cached prompts stay, long ones are computed by who is faster at it', () => {
    const slow = candidate('slow', { speed: { promptToken: 2, step: 5 } });
    const fast = helper('fast', { speed: { promptToken: 0.2, step: 5 } });
    expect(names('cost', request(), [slow, fast])).toEqual(['slow fast']);
    expect(names('cost', request({ promptTokens: 17 }), [slow, fast])).toEqual(['slow']);
    expect(names('cost', request(), [{ ...slow, hit: 390 }, fast])).toEqual(['slow']);
    expect(names('cost', request(), [{ ...slow, rate: 1000 }, fast]), 'a slow link').toEqual(['slow']);
    expect(names('cost', request(), [slow, { ...fast, queuedTokens: 8000 }]), 'a long queue').toEqual(['slow']);
    expect(
      names('cost', request(), [slow, { ...slow, name: 'other', queuedTokens: 9 }, helper('equal', slow)]),
    ).toEqual(['slow']);
    expect(names('cost', request(), [{ ...slow, requests: 3 }, candidate('idle', { speed: slow.speed })])).toEqual([
      'idle',
    ]);
  });

  it('by a price that grows with what is to be computed and with who waits', () => {
    const grows = fc.property(fc.nat(4000), fc.nat(4000), fc.nat(20), (tokens, queued, requests) => {
      const [p, d] = [helper('p', { queuedTokens: queued }), candidate('d', { queuedTokens: queued, requests })];
      const [less, more] = [request({ promptTokens: tokens + 17 }), request({ promptTokens: tokens + 18 })];
      expect(alone(more, d)).toBeGreaterThan(alone(less, d));
      expect(pair(more, p, d)).toBeGreaterThan(pair(less, p, d));
      expect(alone(less, { ...d, requests: requests + 1 })).toBeGreaterThan(alone(less, d));
      expect(pair(less, { ...p, queuedTokens: queued + 1 }, d)).toBeGreaterThan(pair(less, p, d));
    });
    fc.assert(grows);
  });

  it.each(PLACEMENTS)('%s: at who has not lost them, where there is another, and nowhere without anybody', (kind) => {
    const all = [candidate('a'), candidate('b', { requests: 9 })];
    expect(names(kind, request({ lostBy: ['a'] }), all)).toEqual(['b']);
    expect(names(kind, request({ lostBy: ['a', 'b'] }), all)).toEqual(['a']);
    expect(new Placer(kind).place(request(), [helper('p')])).toBeUndefined();
  });
});
