import { describe, expect, it } from 'vitest';
import type { Capabilities } from '../../../src/gpu/capabilities.js';
import { sizedTo } from '../../../src/kernels/matmul/kernel.js';
import { vecVariants } from '../../../src/kernels/matmul/vec.js';
import { relativeError } from '../../reference/compare.js';
import { adapters, testGpu } from '../../support/adapters.js';
import { freeingAll } from '../../support/buffers.js';
import { matmulData, runMatmul } from '../../support/matmul.js';

const ROWS = [1, 2, 3];
/** Parts of a turn at the end of a row, whatever the size of a subgroup. */
const CASE = { n: 130, k: 352 };

describe.each(adapters)('products for few rows on %s', (adapter) => {
  it.each(['f16', 'int4-g32-zp'] as const)(
    'of %s have the same bits however many outputs a subgroup makes, and compiled for one width',
    async (dtype) => {
      const gpu = await testGpu(adapter);
      const data = matmulData(CASE, ROWS.at(-1)!, dtype);
      const layout = { dtype, lanes: 1 };
      const variants = vecVariants(layout, gpu.capabilities).filter(
        (each) => ['vec1x1', 'vec1x2', 'vec1x4', 'vec2x2'].includes(each.name) && each.runs(gpu.capabilities),
      );
      let first: readonly Float64Array[] | undefined;
      for (const each of variants) {
        const sized = sizedTo(each, { stride: CASE.k }, { ...gpu.capabilities, isCpu: false });
        for (const variant of each.name === 'vec1x2' ? [each, sized] : [each]) {
          const results = await freeingAll(gpu, () => runMatmul(gpu, variant, 'store', dtype, CASE, data, ROWS, 1));
          for (const { out, expected, touched } of results) {
            expect(relativeError(out, expected), variant.name).toBeLessThan(2e-6);
            expect(touched, variant.name).toBe(0);
          }
          first ??= results.map(({ out }) => out);
          expect(results.map(({ out }) => out)).toEqual(first);
        }
      }
    },
  );
});

it.each(adapters)(
  'a row shorter than a subgroup is right where kernels are compiled for it, on %s',
  async (adapter) => {
    const gpu = await testGpu(adapter);
    const test = { n: 6, k: 8 };
    const data = matmulData(test, 1, 'f16');
    const each = vecVariants({ dtype: 'f16', lanes: 1 }, gpu.capabilities).find(({ name }) => name === 'vec1x2')!;
    const sized = sizedTo(each, { stride: 32 }, { ...gpu.capabilities, isCpu: false });
    const results = await freeingAll(gpu, () => runMatmul(gpu, sized, 'store', 'f16', test, data, [1], 1));
    for (const { out, expected } of results) expect(relativeError(out, expected)).toBeLessThan(2e-6);
    expect(results).toHaveLength(1);
  },
);

describe('what is usual on a GPU', () => {
  const GPU = {
    ...{ isCpu: false, subgroups: true, subgroupId: true, subgroupMinSize: 32, subgroupMaxSize: 32 },
    ...{ maxWorkgroupsPerDimension: 65535 },
  } as unknown as Capabilities;
  const usual = (n: number, dtype: 'f16' | 'int4-g32', capabilities = GPU): (string | undefined)[] => {
    const all = vecVariants({ dtype, lanes: 1 }, capabilities).filter((each) => each.runs(capabilities));
    return [1, 2, 4, 8].map((rows) => {
      const fit = all.filter((each) => each.order === 'vec' && each.rowsPerGroup === rows);
      const chosen = fit.filter((each) => each.usual!({ n, k: 4096, sequences: 1 }));
      expect(chosen).toHaveLength(1);
      return chosen[0].name;
    });
  };

  it('keeps every multiprocessor supplied, with as few loads of x as that allows', () => {
    expect(usual(4096, 'f16')).toEqual(['vec1x2', 'vec2x2', 'vec4x2', 'vec8x2']);
    expect(usual(22016, 'f16')[0]).toBe('vec1x4');
    expect(usual(2048, 'f16')[0]).toBe('vec1x1');
    expect(usual(4096, 'int4-g32')[0]).toBe('vec1x4');
    expect(usual(22016, 'int4-g32')[0]).toBe('vec1x8');
    // Subgroups of 64 fill a workgroup, which then has none to make a pair with.
    expect(usual(2048, 'f16', { ...GPU, subgroupMinSize: 64, subgroupMaxSize: 64 })[0]).toBe('vec1x2');
  });
});
