import { describe, expect, it } from 'vitest';
import type { Capabilities } from '../../src/gpu/capabilities.js';
import { defaultMatmulChoice, runnableMatmuls, selectMatmul } from '../../src/kernels/matmul-choice.js';
import { matmulVariants } from '../../src/kernels/matmul.js';

const GPU = {
  isCpu: false,
  excluded: [],
  subgroups: true,
  subgroupId: true,
  subgroupMinSize: 32,
  subgroupMaxSize: 32,
  subgroupMatrixConfigs: [],
  maxInvocations: 1024,
} as unknown as Capabilities;
const NEED = { n: 4096, sequences: 1 };
const widthsOf = (capabilities: Capabilities) => {
  const all = matmulVariants({ dtype: 'f16', lanes: 1 }, capabilities);
  return selectMatmul(all, capabilities, NEED).few;
};

describe('the choice of matmul variants', () => {
  it('is by default one order of sums, a variant a width', () => {
    for (const subgroups of [true, false]) {
      for (const isCpu of [true, false]) {
        const few = widthsOf({ ...GPU, subgroups, isCpu });
        expect(few.map(({ rows }) => rows)).toEqual([1, 2, 4, 8]);
        expect(few.every(({ rows, variant }) => rows === variant.rowsPerGroup)).toBe(true);
        expect(new Set(few.map(({ variant }) => variant.order)).size).toBe(1);
      }
    }
  });

  it('leaves out what does not run', () => {
    const all = matmulVariants({ dtype: 'f16', lanes: 1 }, { ...GPU, subgroups: false });
    const runnable = runnableMatmuls(all, { ...GPU, subgroups: false });
    expect(runnable.few.length).toBeGreaterThan(0);
    expect(runnable.few.length).toBeLessThan(all.few.length);
  });

  it('takes what it is told, and refuses mixed orders and names there are not', () => {
    const all = matmulVariants({ dtype: 'f16', lanes: 1 }, GPU);
    const usual = defaultMatmulChoice(runnableMatmuls(all, GPU), NEED);
    const { few } = runnableMatmuls(all, GPU);
    const lanes = matmulVariants(
      { dtype: 'f16', lanes: 8 },
      { ...GPU, isCpu: true, subgroupMinSize: 8, subgroupMaxSize: 8 },
    );
    expect(lanes.few[0].name).toBe('lanes1');
    const other = few.find(({ order }) => order !== few[0].order)!;
    const choose = (names: string[]) =>
      selectMatmul(all, GPU, NEED, { ...usual, few: names.map((variant, i) => ({ rows: 2 ** i, variant })) });
    expect(choose([few[0].name, few[0].name]).few.map(({ variant }) => variant.name)).toEqual([
      few[0].name,
      few[0].name,
    ]);
    expect(() => choose([few[0].name, other.name])).toThrow('different orders of sums');
    expect(() => choose(['nobody'])).toThrow('nobody does not exist');
    expect(() => choose([])).toThrow('needs a variant');
    expect(() => selectMatmul(all, { ...GPU, subgroups: false }, NEED, usual)).toThrow('does not run on this adapter');
  });
});
