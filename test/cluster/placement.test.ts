import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  alone,
  pair,
  PLACEMENTS,
  Placer,
  promptWork,
  type Placeable,
  type PromptWork,
  type WorkerCandidate,
} from '../../src/cluster/placement.js';

const candidate = (name: string, more: Partial<WorkerCandidate> = {}): WorkerCandidate => ({
  ...{ name, address: { host: name, port: 1 }, prefills: false, decodes: true, requests: 0 },
  ...{ speed: { promptToken: 1, step: 5 }, hit: 0, rate: 1e6, queued: { tokens: 0, keys: 0 } },
  ...more,
});
/** Tokens of prompts that begin behind nothing. */
const waiting = (tokens: number): PromptWork => promptWork(0, tokens);
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
    expect(names('cost', request(), [slow, { ...fast, queued: waiting(8000) }]), 'a long queue').toEqual(['slow']);
    expect(
      names('cost', request(), [slow, { ...slow, name: 'other', queued: waiting(9) }, helper('equal', slow)]),
    ).toEqual(['slow']);
    expect(names('cost', request(), [{ ...slow, requests: 3 }, candidate('idle', { speed: slow.speed })])).toEqual([
      'idle',
    ]);
  });

  it('by a price that grows faster than a prompt, where what its tokens read of those before them is known', () => {
    const speed = { promptToken: 1, promptKey: 0.001, step: 5 };
    const d = candidate('d', { speed });
    const of = (promptTokens: number): number => alone(request({ promptTokens }), d);
    expect(of(1000)).toBeCloseTo(1000 + 500);
    expect(of(4000)).toBeCloseTo(4000 + 8000);
    expect(alone(request({ promptTokens: 4000 }), { ...d, hit: 3000 }), 'the end of a long one').toBeCloseTo(
      1000 + 3500,
    );
    // Two short prompts in a queue take less than one as long as both.
    const halves = { tokens: 4000, keys: 2 * waiting(2000).keys };
    const two = alone(request(), { ...d, queued: halves });
    expect(alone(request(), { ...d, queued: waiting(4000) }) - two).toBeCloseTo(4000);
    // Short prompts stay, and long ones go where reading is cheap, though a token is dearer there.
    const helpful = helper('p', { speed: { promptToken: 1.2, step: 5 } });
    expect(names('cost', request({ promptTokens: 200 }), [d, helpful])).toEqual(['d']);
    expect(names('cost', request({ promptTokens: 2000 }), [d, helpful])).toEqual(['d p']);
  });

  it('by a price that grows with what is to be computed and with who waits', () => {
    const grows = fc.property(fc.nat(4000), fc.nat(4000), fc.nat(20), (tokens, queued, requests) => {
      const [p, d] = [helper('p', { queued: waiting(queued) }), candidate('d', { queued: waiting(queued), requests })];
      const [less, more] = [request({ promptTokens: tokens + 17 }), request({ promptTokens: tokens + 18 })];
      expect(alone(more, d)).toBeGreaterThan(alone(less, d));
      expect(pair(more, p, d)).toBeGreaterThan(pair(less, p, d));
      expect(alone(less, { ...d, requests: requests + 1 })).toBeGreaterThan(alone(less, d));
      expect(pair(less, { ...p, queued: waiting(queued + 1) }, d)).toBeGreaterThan(pair(less, p, d));
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
