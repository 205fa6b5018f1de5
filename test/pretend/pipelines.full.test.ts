import { beforeAll, expect, it } from 'vitest';
import { rules } from '../support/pretend-gpu/rules.js';
import { describePretend } from '../support/pretend-gpu/run.js';
import { sweep, type Sweep } from '../support/pretend-gpu/sweep.js';
import { faultsOf, validator } from '../support/pretend-gpu/validate.js';

const valid = await validator();

/** Programs that validate at a time. */
const AT_ONCE = 4;

describePretend('all pipelines for an NVIDIA GPU', () => {
  let swept: Sweep;
  beforeAll(async () => {
    swept = await sweep('all', 'all');
  });

  it('compile', () => {
    rules.compiles(swept);
    expect(swept.pipelines.length).toBeGreaterThan(350);
  });
  it('do not declare cooperative matrices and subgroup arithmetic together', () =>
    rules.noArithmeticBesideMatrices(swept));
  it('have no guard in their hot loops', () => rules.noGuardedHotLoop(swept));
  it('read weights 16 bytes at a time', () => rules.wideWeights(swept));
  it('read keys and values 16 bytes at a time, eight under way', () => rules.wideCache(swept));

  it.skipIf('missing' in valid)(
    `pass spirv-val${'missing' in valid ? ` (skipped: ${valid.missing})` : ''}`,
    async () => {
      const { program } = valid as { program: string };
      const left = [...swept.pipelines];
      const faults: string[] = [];
      const work = async (): Promise<void> => {
        for (let next = left.pop(); next !== undefined; next = left.pop()) {
          const fault = await faultsOf(program, next.module);
          if (fault !== undefined) faults.push(`${next.label}: ${fault}`);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      expect(faults).toEqual([]);
    },
  );
});
