import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLEAR_GAIN, decide, settle, usualWinners, type Contest } from '../../src/tuning/contest.js';

/** Two families of kernels for few rows, as a matmul has them. */
const CONTEST: Contest = {
  key: 'matmul few',
  candidates: [
    { name: 'vec1', order: 'lanes' },
    { name: 'vec4', order: 'lanes' },
    { name: 'vec4-wide', order: 'lanes' },
    { name: 'tree1', order: 'tree' },
    { name: 'tree4', order: 'tree' },
  ],
  cases: [
    { id: '1', weight: 2, usual: 'vec1', names: ['vec1', 'tree1'] },
    { id: '4', weight: 1, usual: 'vec4', names: ['vec1', 'vec4', 'vec4-wide', 'tree1', 'tree4'] },
  ],
  fingerprint: 'a',
};
const orderOf = (name: string): string => CONTEST.candidates.find((each) => each.name === name)!.order;

describe('settle', () => {
  const usual = [2, 2, 2, 2, 8, 8, 8, 8, 8, 8];

  it('takes the lower quartile, which company does not touch', () => {
    expect(settle({ usual }, 'usual')).toEqual({ usual: 2 });
  });

  it('believes a rival that is faster in nearly every round', () => {
    const faster = usual.map((each) => each / 2);
    expect(settle({ usual, faster }, 'usual')['faster']).toBe(1);
    expect(settle({ usual, faster: [3, ...faster.slice(1)] }, 'usual')['faster']).toBe(1);
  });

  it('does not believe one that was lucky, or was timed too seldom', () => {
    const lucky = [9, 9, 9, 9, 1, 1, 1, 1, 1, 1];
    expect(settle({ usual, lucky }, 'usual')['lucky']).toBe(2);
    expect(settle({ usual: [2, 2, 2], once: [1, 1, 1] }, 'usual')['once']).toBe(2);
    expect(settle({ usual, slow: [9] }, 'usual')['slow']).toBe(9);
  });
});

describe('decide', () => {
  it('takes the fastest of the usual order where it is clearly faster, else the usual one', () => {
    const times = { '1': { vec1: 1, tree1: 5 }, '4': { vec1: 9, vec4: 2, 'vec4-wide': 1.5, tree1: 9, tree4: 9 } };
    expect(decide(CONTEST, times)).toEqual({ '1': 'vec1', '4': 'vec4-wide' });
    const close = { ...times, '4': { ...times['4'], 'vec4-wide': 2 / (CLEAR_GAIN - 0.01) } };
    expect(decide(CONTEST, close)).toEqual({ '1': 'vec1', '4': 'vec4' });
  });

  it('never mixes orders, even where each has the fastest of a case', () => {
    const times = { '1': { vec1: 1, tree1: 4 }, '4': { vec4: 4, tree4: 1 } };
    expect(decide(CONTEST, times)).toEqual({ '1': 'vec1', '4': 'vec4' });
    expect(decide(CONTEST, { '1': { vec1: 4, tree1: 1 }, '4': { vec4: 1, tree4: 2 } })).toEqual({
      '1': 'tree1',
      '4': 'tree4',
    });
  });

  it('weighs the case that is run most', () => {
    // The tree is 1.5 times slower alone and twice as fast in fours: 1.5^2 > 2.
    const times = { '1': { vec1: 1, tree1: 1.5 }, '4': { vec4: 2, tree4: 1 } };
    expect(decide(CONTEST, times)).toEqual({ '1': 'vec1', '4': 'vec4' });
  });

  it('leaves out an order that cannot do every case, and keeps the usual where nothing was timed', () => {
    expect(decide(CONTEST, { '1': { vec1: 9 }, '4': { vec4: 9, tree4: 1 } })).toEqual({ '1': 'vec1', '4': 'vec4' });
    expect(decide(CONTEST, {})).toEqual(usualWinners(CONTEST));
  });

  it('chooses one order and timed candidates, whatever the times', () => {
    const seconds = fc.option(fc.double({ min: 1e-6, max: 10, noNaN: true }), { nil: undefined });
    const timesOf = (names: readonly string[]) =>
      fc
        .tuple(...names.map(() => seconds))
        .map(
          (list) =>
            Object.fromEntries(names.flatMap((name, i) => (list[i] === undefined ? [] : [[name, list[i]]]))) as Record<
              string,
              number
            >,
        );
    fc.assert(
      fc.property(timesOf(CONTEST.cases[0].names), timesOf(CONTEST.cases[1].names), (one, four) => {
        const winners = decide(CONTEST, { '1': one, '4': four });
        expect(new Set(Object.values(winners).map(orderOf)).size).toBe(1);
        const all = winners['1'] in one && winners['4'] in four;
        expect(all || winners['1'] === 'vec1').toBe(true);
      }),
    );
  });
});
