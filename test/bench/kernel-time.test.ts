import { describe, expect, it } from 'vitest';
import { candidates, spread } from '../../bench/kernels/candidates.js';
import { KernelPace } from '../../bench/kernels/pace.js';
import type { Maker } from '../../bench/kernels/point.js';

const timed = { record: () => undefined };
const maker = (variant: string, isDefault = false): Maker => ({
  ...{ variant, isDefault, units: 'scalar' },
  make: () => Promise.resolve(timed),
});
const names = (list: readonly { variant: string }[]) => list.map(({ variant }) => variant).join('');

describe('variants for which there is no time', () => {
  it('are left out evenly, the default never', async () => {
    const makers = [...'abcdefgh'].map((variant) => maker(variant, variant === 'f'));
    expect(names(spread(makers))).toBe('faecgbdh');
    const making = { atOnce: 2, refused: () => undefined };
    const some = await candidates(makers, { ...making, most: 4 });
    expect(names(some.made)).toBe('acef');
    expect(some.leftOut).toEqual([...'bdgh']);
    expect(names((await candidates(makers, { ...making, most: 1 })).made)).toBe('f');
    expect(names((await candidates(makers, making)).made)).toBe('abcdefgh');
    // Not even the first begins in time: those made together with the default are there.
    expect(names((await candidates(makers, { ...making, withinMs: 0 })).made)).toBe('af');
  });

  it('are not those that fail, which are said by name', async () => {
    const broken: Maker = { ...maker('b'), make: () => Promise.reject(new Error('no such thing')) };
    const refused: string[] = [];
    const { made, leftOut } = await candidates([maker('a', true), broken, maker('c')], {
      atOnce: 8,
      refused: (variant, reason) => refused.push(`${variant}: ${reason}`),
    });
    expect(names(made)).toBe('ac');
    expect(leftOut).toEqual([]);
    expect(refused).toEqual(['b: no such thing']);
  });

  it('are as many as the point before says, its needless samples not counted', () => {
    const pace = new KernelPace();
    expect(pace.affordable(1)).toBe(Infinity);
    // 10 candidates, made in 100 ms and timed in 640 by 32 launches of which 5 were needed: 20 ms each.
    pace.note(10, 100, 640, 32, 5);
    expect(pace.affordable(400)).toBe(20);
    expect(pace.affordable(0)).toBe(1);
    pace.note(0, 5, 5, 5, 5);
    expect(pace.affordable(400)).toBe(20);
  });
});
