import { describe, expect, it } from 'vitest';
import { paretoOf } from '../../src/cli/commands/simulate/pareto.js';
import { chipPrices } from '../../src/cli/commands/simulate/charges.js';

const row = (good: number | null, dollars: number | null, watts: number, overloaded = false) => ({
  goodput_per_s: good,
  requests_per_s: good ?? 5,
  usd_per_hour: dollars,
  cost_h100_machines: null,
  tdp_watts: watts,
  overloaded,
});

describe('what nothing is better than', () => {
  it('is more goodput, less cost or less power than all others, and never overloaded', () => {
    const rows = [row(10, 5, 100), row(10, 4, 100), row(12, 9, 100), row(9, 4, 90), row(9, 4, 95), row(50, 1, 1, true)];
    expect([...paretoOf(rows)]).toEqual([1, 2, 3]);
  });

  it('leaves out of account what is not known of every row', () => {
    expect([...paretoOf([row(null, null, 100), row(null, 3, 90)])]).toEqual([1]);
  });
});

describe('prices', () => {
  it('are dollars an hour of chips', () => {
    expect([...chipPrices.read('h100-sxm=2.5,l40s=0.8', undefined)!]).toEqual([
      ['h100-sxm', 2.5],
      ['l40s', 0.8],
    ]);
    for (const wrong of ['h100', 'h100=', 'h100=-1', '=3', 'a=1=2'])
      expect(chipPrices.read(wrong, undefined), wrong).toBeUndefined();
  });
});
