import { beforeAll, expect, it } from 'vitest';
import { rules } from '../support/pretend-gpu/rules.js';
import { describePretend } from '../support/pretend-gpu/run.js';
import { sweep, type Sweep } from '../support/pretend-gpu/sweep.js';

/** A part of what `pipelines.full.test.ts` has whole. */
describePretend('pipelines for an NVIDIA GPU', () => {
  let swept: Sweep;
  beforeAll(async () => {
    swept = await sweep('f16,int8-g128', 'tinyllama');
  });

  it('compile', () => {
    rules.compiles(swept);
    expect(swept.pipelines.length).toBeGreaterThan(100);
  });
  it('do not declare cooperative matrices and subgroup arithmetic together', () =>
    rules.noArithmeticBesideMatrices(swept));
  it('have no guard in their hot loops', () => rules.noGuardedHotLoop(swept));
  it('read weights 16 bytes at a time', () => rules.wideWeights(swept));
  it('read keys and values 16 bytes at a time, eight under way', () => rules.wideCache(swept));
});
