import { beforeAll, describe, expect, it } from 'vitest';
import type { Capabilities, SubgroupMatrixConfig } from '../../../src/gpu/capabilities.js';
import type { Gpu } from '../../../src/gpu/gpu.js';
import { matmulVariants } from '../../../src/kernels/matmul/kernel.js';
import { laneRows } from '../../../src/kernels/weights.js';
import { adapters, testGpu } from '../../support/adapters.js';
import { freeingAll } from '../../support/buffers.js';
import { DOT8_CASES, dot8Data, runDot8 } from '../../support/matmul-dot8.js';
import { chosen } from '../../support/scale.js';
import { worstErrors } from '../../support/worst.js';

const FORMATS = ['int8-g32', 'int8-g64-zp', 'int8-g128'] as const;

describe.each(chosen(FORMATS, (dtype) => dtype === 'int8-g64-zp'))(
  'matmul of rows and %s weights in 8 bits',
  (dtype) => {
    const worst = worstErrors();
    const data = DOT8_CASES.map((test) => dot8Data(test, dtype));

    describe.each(adapters)('on %s', (adapter) => {
      let gpu: Gpu;
      beforeAll(async () => void (gpu = await testGpu(adapter)));

      it('matches float64 on the same quants, every variant, both layouts', async () => {
        const own = laneRows(gpu.capabilities);
        const runnable = [...new Set([own, 1])].flatMap((lanes) =>
          matmulVariants({ dtype, lanes }, gpu.capabilities, 'int8')
            .prefill.filter((variant) => variant.runs(gpu.capabilities))
            // The largest take seconds to compile, and zero points are what they can go wrong in besides.
            .filter(({ compiles }) => compiles === undefined || (lanes === own && dtype === 'int8-g64-zp'))
            .map((variant) => ({ variant, lanes })),
        );
        expect(runnable.length).toBeGreaterThan(0);
        await Promise.all(runnable.map(({ variant }) => gpu.pipelines.get(variant)));
        for (const { variant, lanes } of runnable) {
          for (const [i, test] of DOT8_CASES.entries()) {
            await freeingAll(gpu, async () => {
              const what = `${variant.name}, ${lanes} rows side by side, ${JSON.stringify(test)}`;
              const { error, touched } = await runDot8(gpu, variant, lanes, test, data[i]);
              worst(`${adapter} ${variant.name} ${dtype}`, error);
              expect(error, what).toBeLessThan(variant.tolerance!);
              expect(touched, `${what}: words touched outside the result`).toBe(0);
            });
          }
        }
      });
    });
  },
);

describe('the tiles of matrices of 8 bits', () => {
  const config = (shape: string, types = 'i8 i32'): SubgroupMatrixConfig => {
    const [M, N, K] = shape.split('x').map(Number);
    const [componentType, resultComponentType] = types.split(' ');
    return { componentType, resultComponentType, M, N, K };
  };
  const names = (lanes: number, configs: SubgroupMatrixConfig[], more: Partial<Capabilities> = {}): string[] => {
    const known: Partial<Capabilities> = {
      ...{ f16: false, subgroups: true, subgroupId: true, subgroupSizeControl: true, isCpu: false, packedDot: true },
      ...{ subgroupMinSize: lanes, subgroupMaxSize: lanes, subgroupMatrixConfigs: configs },
      ...{ maxInvocations: 1024, maxWorkgroupBytes: 48 * 1024 },
      ...more,
    };
    return matmulVariants({ dtype: 'int8-g128', lanes: 1 }, known as Capabilities, 'int8').prefill.map(
      ({ name }) => name,
    );
  };

  it('follow from what the adapter lists, its largest matrix first, and come before shader code', () => {
    const nvidia = [config('16x8x16'), config('16x16x32'), config('16x8x32'), config('16x16x16', 'f16 f32')];
    const found = names(32, nvidia);
    expect(found[0]).toBe('matrix16x16x32-i8-128x128-8');
    expect(found.slice(-2)).toEqual(['dot4-64', 'dot4-128']);
    for (const shape of ['16x16x32', '16x8x32', '16x8x16']) {
      for (const tile of ['64x128', '64x64', '32x64-2']) expect(found).toContain(`matrix${shape}-i8-${tile}`);
    }
    expect(new Set(found).size).toBe(found.length);
    expect(names(8, [config('8x8x8')])).toContain('matrix8x8x8-i8-32x64');
    expect(names(16, [config('8x16x32')], { maxWorkgroupBytes: 16 * 1024 })).toContain('matrix8x16x32-i8-64x64');
  });

  it('are none for other types, matrices deeper than is staged, or subgroups of unknown size', () => {
    const plain = ['dot4-64', 'dot4-128'];
    expect(names(32, [config('16x16x32', 'u8 u32'), config('16x16x16', 'f16 f32')])).toEqual(plain);
    expect(names(32, [config('16x16x64')])).toEqual(plain);
    const unknown = { subgroupMinSize: 16, subgroupSizeControl: false };
    expect(names(32, [config('16x16x32')], unknown)).toEqual(plain);
  });

  it('are none for weights that have no 8 bits', () => {
    const capabilities = { subgroupMatrixConfigs: [], isCpu: false } as unknown as Capabilities;
    for (const dtype of ['f16', 'int4-g32'] as const) {
      expect(matmulVariants({ dtype, lanes: 1 }, capabilities, 'int8').prefill).toEqual([]);
    }
  });
});
