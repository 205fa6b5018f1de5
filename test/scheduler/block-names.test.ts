import { describe, expect, it } from 'vitest';
import { blockNames } from '../../src/scheduler/block-names.js';

const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

describe('blockNames', () => {
  it('names each full block', () => {
    expect([0, 1, 15, 16, 31, 32, 40].map((length) => blockNames(range(0, length), 16).length)).toEqual([
      0, 0, 0, 1, 1, 2, 2,
    ]);
  });

  it('gives equal names to equal beginnings, and only to those', () => {
    const [a, b] = [blockNames(range(0, 48), 16), blockNames([...range(0, 32), ...range(100, 16)], 16)];
    expect(b.slice(0, 2)).toEqual(a.slice(0, 2));
    expect(b[2]).not.toBe(a[2]);
    // The same tokens after something else are another block.
    const repeated = blockNames([...range(0, 16), ...range(0, 16)], 16);
    expect(new Set(repeated).size).toBe(2);
    expect(blockNames([...range(7, 16), ...range(16, 16)], 16)[1]).not.toBe(a[1]);
    // Ids above 16 bits count with all their bits.
    expect(blockNames(range(65536, 16), 16)).not.toEqual(blockNames(range(0, 16), 16));
  });
});
