import { describe, expect, it } from 'vitest';
import type { Contest } from '../../src/tuning/contest.js';
import type { TunedEntry } from '../../src/tuning/file.js';
import { holdsChoice, tune, type Laboratory } from '../../src/tuning/tune.js';

function contest(key: string, print = 'shaders'): Contest {
  const names = ['usual', 'rival', 'wrong'];
  return {
    key,
    candidates: names.map((name) => ({ name, order: name === 'wrong' ? 'other' : 'one' })),
    cases: ['1', '8'].map((id) => ({ id, weight: 1, usual: 'usual', names })),
    fingerprint: print,
  };
}

/** A GPU that exists on paper: checks cost 10 ms, timings what they were given, and times are looked up. */
class PaperLaboratory implements Laboratory {
  clock = 0;
  compiling = 0;
  readonly opened: string[] = [];
  readonly budgets: number[] = [];
  readonly timed: string[] = [];
  readonly checked: (readonly string[] | undefined)[] = [];
  readonly #seconds: Record<string, number>;
  readonly #bad: readonly string[];

  constructor(
    seconds: Record<string, number> = { usual: 2, rival: 1, wrong: 0.1 },
    bad: readonly string[] = ['wrong'],
  ) {
    this.#seconds = seconds;
    this.#bad = bad;
  }
  hopeless({ key }: Contest, { name, reason }: { name: string; reason: string }): Error {
    return new Error(`${key}: ${name}: ${reason}`);
  }
  now(): number {
    return this.clock;
  }
  open<T>({ key }: Contest, body: Parameters<Laboratory['open']>[1]): Promise<T> {
    this.opened.push(key);
    this.clock += this.compiling;
    return body({
      check: (only) => {
        this.clock += 10;
        this.checked.push(only);
        const dropped = this.#bad.filter((name) => only?.includes(name) ?? true);
        return Promise.resolve(dropped.map((name) => ({ name, reason: 'its results differ' })));
      },
      time: (id, names, budgetMs) => {
        this.clock += budgetMs;
        this.budgets.push(budgetMs);
        this.timed.push(...names.map((name) => `${id} ${name}`));
        return Promise.resolve(Object.fromEntries(names.map((name) => [name, Array(5).fill(this.#seconds[name])])));
      },
    }) as Promise<T>;
  }
}

describe('wrong numbers', () => {
  it('are never used, even where the usual candidate makes them', async () => {
    const laboratory = new PaperLaboratory(undefined, ['wrong', 'usual']);
    const { entries } = await tune(laboratory, [contest('a')], {}, { budgetMs: 100 });
    expect(entries.a).toMatchObject({ measured: true, winners: { '1': 'rival', '8': 'rival' } });
  });

  it('end the run where no candidate is right, naming what and why', async () => {
    const laboratory = new PaperLaboratory(undefined, ['usual', 'rival', 'wrong']);
    await expect(tune(laboratory, [contest('a')], {}, { budgetMs: 100 })).rejects.toThrow(
      'a: usual: its results differ',
    );
    expect(laboratory.timed).toEqual([]);
  });

  it('are looked for in the usual candidates when there is no time to measure', async () => {
    const right = new PaperLaboratory();
    const { entries } = await tune(right, [contest('a')], {}, { budgetMs: 0 });
    expect(right.checked).toEqual([['usual']]);
    expect(entries.a).toMatchObject({ measured: false, winners: { '1': 'usual', '8': 'usual' } });
    const wrong = new PaperLaboratory(undefined, ['usual', 'wrong']);
    const found = await tune(wrong, [contest('a')], {}, { budgetMs: 0 });
    expect(wrong.checked).toEqual([['usual'], undefined]);
    expect(found.entries.a.winners).toEqual({ '1': 'rival', '8': 'rival' });
    const all = new PaperLaboratory(undefined, ['usual', 'rival', 'wrong']);
    await expect(tune(all, [contest('a')], {}, { budgetMs: 0 })).rejects.toThrow('its results differ');
  });

  it('are kept from the next run contest by contest', async () => {
    const kept: string[][] = [];
    const onEntry = (known: object): Promise<void> => Promise.resolve(void kept.push(Object.keys(known)));
    await tune(new PaperLaboratory(), [contest('a'), contest('b')], {}, { budgetMs: 100, onEntry });
    expect(kept).toEqual([['a'], ['a', 'b']]);
  });
});

describe('tune', () => {
  it('takes the fastest that is right, and reports the one that is not', async () => {
    const laboratory = new PaperLaboratory();
    const { entries, changed } = await tune(laboratory, [contest('a')], {}, { budgetMs: 1000 });
    expect(changed).toBe(true);
    expect(entries['a']).toEqual({
      fingerprint: 'shaders',
      measured: true,
      winners: { '1': 'rival', '8': 'rival' },
      ms: { '1': { usual: 2000, rival: 1000 }, '8': { usual: 2000, rival: 1000 } },
      dropped: [{ name: 'wrong', reason: 'its results differ' }],
    });
    expect(laboratory.timed.some((each) => each.includes('wrong'))).toBe(false);
  });

  it('does not time again what was far behind, but always the usual one', async () => {
    const slow = new PaperLaboratory({ usual: 1, rival: 5 });
    await tune(slow, [contest('a')], {}, { budgetMs: 1000 });
    expect(slow.timed).toEqual(['1 usual', '1 rival', '8 usual']);
    const fast = new PaperLaboratory({ usual: 5, rival: 1 });
    await tune(fast, [contest('a')], {}, { budgetMs: 1000 });
    expect(fast.timed).toEqual(['1 usual', '1 rival', '8 usual', '8 rival']);
  });

  it('stays within its budget: the first contests are measured, the rest keep the usual variants', async () => {
    const laboratory = new PaperLaboratory();
    laboratory.compiling = 60; // more than a contest's share
    const keys = ['a', 'b', 'c', 'd', 'e'];
    const { entries } = await tune(
      laboratory,
      keys.map((key) => contest(key)),
      {},
      { budgetMs: 100 },
    );
    expect(keys.filter((key) => entries[key].measured)).toEqual(['a', 'b']);
    expect(new Set(laboratory.checked.slice(2).map(String))).toEqual(new Set(['usual']));
    expect(entries['e']).toMatchObject({ measured: false, winners: { '1': 'usual', '8': 'usual' } });
  });

  it('shares the time out evenly', async () => {
    const laboratory = new PaperLaboratory();
    await tune(laboratory, [contest('a'), contest('b')], {}, { budgetMs: 220 });
    expect(laboratory.budgets).toEqual([50, 50, 50, 50]);
    expect(laboratory.clock).toBe(220);
  });

  it('measures nothing that is known, unless told to or the shaders changed', async () => {
    const first = await tune(new PaperLaboratory(), [contest('a')], {}, { budgetMs: 100 });
    const again = new PaperLaboratory();
    expect(await tune(again, [contest('a')], first.entries, { budgetMs: 100 })).toEqual({ ...first, changed: false });
    expect(again.opened).toEqual([]);
    expect((await tune(again, [contest('a')], first.entries, { budgetMs: 100, force: true })).changed).toBe(true);
    expect(again.opened).toEqual(['a']);
    const { entries } = await tune(again, [contest('a', 'other shaders')], first.entries, { budgetMs: 100 });
    expect(again.opened).toEqual(['a', 'a']);
    expect(entries['a'].fingerprint).toBe('other shaders');
  });

  it('keeps what is known when time runs out', async () => {
    const { entries } = await tune(new PaperLaboratory(), [contest('a')], {}, { budgetMs: 100 });
    const forced = await tune(new PaperLaboratory(), [contest('a')], entries, { budgetMs: 0, force: true });
    expect(forced.entries).toEqual(entries);
  });
});

describe('holds', () => {
  const entry: TunedEntry = {
    fingerprint: 'shaders',
    measured: true,
    winners: { '1': 'usual', '8': 'rival' },
    ms: {},
    dropped: [],
  };

  it('wants the shaders of now, every case, and one order of variants that exist', () => {
    expect(holdsChoice(contest('a'), entry)).toBe(true);
    expect(holdsChoice(contest('a'), undefined)).toBe(false);
    expect(holdsChoice(contest('a', 'other'), entry)).toBe(false);
    expect(holdsChoice(contest('a'), { ...entry, winners: { '1': 'usual' } })).toBe(false);
    expect(holdsChoice(contest('a'), { ...entry, winners: { '1': 'usual', '8': 'gone' } })).toBe(false);
    expect(holdsChoice(contest('a'), { ...entry, winners: { '1': 'usual', '8': 'wrong' } })).toBe(false);
  });
});
