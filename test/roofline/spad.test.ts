import { describe, expect, it } from 'vitest';
import {
  clusterCost,
  costOf,
  diesPerWafer,
  h100DieWatts,
  machineCost,
  savings,
  SPAD_CHIPS,
} from '../../src/roofline/predict/spad.js';

describe('SPAD’s chips, against numbers worked out by hand', () => {
  // pi 150² = 70685.83; pi 300 = 942.478; sqrt(2 · 814) = 40.3485: 86.8376 - 23.3584 = 63.4792 dies, $315.06.
  it.each([
    ['prefill', 66.3593, 301.389, 192, 0.47668, 595.6],
    ['decode', 106.7093, 187.425, 720, 0.87669, 507.37],
    ['h100', 63.4792, 315.064, 720, 1, 700],
  ] as const)('%s', (name, dies, die, memory, relative, watts) => {
    const cost = costOf(SPAD_CHIPS[name]);
    expect(cost.diesPerWafer).toBeCloseTo(dies, 3);
    expect(cost.dieDollars).toBeCloseTo(die, 2);
    expect(cost.memoryDollars).toBe(memory);
    expect(cost.dollars).toBeCloseTo(die + memory, 2);
    expect(cost.relativeDollars).toBeCloseTo(relative, 4);
    expect(cost.watts).toBeCloseTo(watts, 1);
    expect(cost.relativeWatts).toBeCloseTo(watts / 700, 3);
  });

  it('takes 480 W of the H100’s 700 for its die, and 73.7 W for 2 TB/s of GDDR7', () => {
    expect(h100DieWatts()).toBeCloseTo(480, 9);
    expect(costOf(SPAD_CHIPS.prefill).memoryWatts).toBeCloseTo(73.728, 9);
    expect(costOf(SPAD_CHIPS.decode).memoryWatts).toBe(150);
  });

  it('prices memory as asked, the H100’s alike', () => {
    expect(costOf(SPAD_CHIPS.decode, { hbm3: 12 }).dollars).toBeCloseTo(1147.43, 2);
    expect(costOf(SPAD_CHIPS.decode, { hbm3: 12 }).relativeDollars).toBeCloseTo(1147.425 / 1275.064, 5);
    expect(costOf(SPAD_CHIPS.prefill, { hbm3: 12 }).dollars).toBeCloseTo(493.39, 2);
  });

  it('counts a package of HBM for each 16 GB unless told', () => {
    const chip = { ...SPAD_CHIPS.h100, packages: undefined };
    expect(costOf({ ...chip, memoryGB: 80 }).memoryWatts).toBe(150);
    expect(costOf({ ...chip, memoryGB: 141 }).memoryWatts).toBe(270);
  });

  it('a larger die is dearer by more than its area', () => {
    expect(diesPerWafer(800)).toBeLessThan(diesPerWafer(400) / 2);
  });
});

describe('SPAD’s clusters', () => {
  it('adds machines up', () => {
    expect(clusterCost({})).toEqual({ machines: 0, cost: 0, tdp: 0 });
    expect(clusterCost({ h100: 21, a100: 9 })).toEqual({ machines: 30, cost: 25.5, tdp: 25.5 });
    expect(clusterCost({ h100: 21, pcap: 4 }).tdp).toBeCloseTo(21 + (4 * 450) / 700, 9);
    const { machines, cost, tdp } = clusterCost({ prefill: 18, decode: 7 });
    expect(machines).toBe(25);
    expect(cost).toBeCloseTo(18 * 0.476675 + 7 * 0.876685, 3);
    expect(tdp).toBeCloseTo((18 * 596 + 7 * 507) / 700, 9);
  });

  it('takes whole watts, without which Table 4 would read 14%', () => {
    expect(machineCost('prefill').tdp).toBe(596 / 700);
    expect(savings({ prefill: 18, decode: 7 }, { h100: 21, pcap: 4 }).tdp).toBeCloseTo(13.47, 2);
    const exact = (18 * costOf(SPAD_CHIPS.prefill).watts + 7 * costOf(SPAD_CHIPS.decode).watts) / 700;
    expect(Math.round(100 * (1 - exact / (21 + (4 * 450) / 700)))).toBe(14);
  });

  it('a saving can be negative', () => {
    const { cost, tdp } = savings({ prefill: 8, decode: 17 }, { h100: 3, pcap: 23 });
    expect(Math.round(cost)).toBe(28);
    expect(Math.round(tdp)).toBe(-8);
  });
});
