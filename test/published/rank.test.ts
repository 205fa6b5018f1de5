import { describe, expect, it } from 'vitest';
import { kendallTau } from '../../src/published/rank.js';

describe("Kendall's tau", () => {
  it('is 1 for the same order, -1 for the reverse, and counts pairs in between', () => {
    expect(kendallTau([1, 2, 3, 4], [10, 20, 30, 40])).toBe(1);
    expect(kendallTau([1, 2, 3, 4], [4, 3, 2, 1])).toBe(-1);
    expect(kendallTau([1, 2, 3], [1, 3, 2])).toBeCloseTo(1 / 3, 12);
  });

  it('leaves out pairs that are equal in one of the two', () => {
    // Of three pairs one is equal in the first list: two agree, over the root of 2 x 3.
    expect(kendallTau([1, 1, 2], [1, 2, 3])).toBeCloseTo(2 / Math.sqrt(6), 12);
  });
});
