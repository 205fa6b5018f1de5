import { beforeAll, describe, expect, it } from 'vitest';
import type { Capabilities, SubgroupMatrixConfig } from '../../../src/gpu/capabilities.js';
import type { Gpu } from '../../../src/gpu/gpu.js';
import { matmulVariants } from '../../../src/kernels/matmul/kernel.js';
import type { Units } from '../../../src/kernels/variant.js';
import { laneRows, type WeightLayout } from '../../../src/kernels/weights.js';
import { matrixVariants } from '../../../src/kernels/matmul/matrix.js';
import { adapters, testGpu } from '../../support/adapters.js';
import { checkMany, type ManyCase } from '../../support/matmul-many.js';
import { isFull } from '../../support/scale.js';

const layout = (capabilities: Capabilities): WeightLayout => ({ dtype: 'f16', lanes: laneRows(capabilities) });

describe.each(adapters)('matmul of many rows on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => void (gpu = await testGpu(adapter)));

  const run = (test: ManyCase): Promise<void> => {
    // Rows in f16 too, which adapters with matrices take; from f32 one tile of matrices will do.
    const own = layout(gpu.capabilities);
    const variants = (['f32', 'f16'] as const)
      .filter((rows) => rows === 'f32' || gpu.capabilities.f16)
      .flatMap((rows) =>
        matmulVariants(own, gpu.capabilities, rows).prefill.filter(
          ({ tile }) => rows === 'f16' || tile === undefined || (tile.m === 64 && tile.n === 64),
        ),
      )
      .filter((each) => each.runs(gpu.capabilities));
    return checkMany(gpu, variants, test);
  };

  it.runIf(isFull)('makes whole tiles and ragged ones, in several panels of row tiles', async () => {
    // 9 tiles of 64 rows and 17 of 32 are one more than one and two panels of 8.
    await run({ epilogue: 'store', decodeRows: 0, n: 96, k: 32, rows: 8 * 64 + 5 });
    await run({ epilogue: 'residual', decodeRows: 0, n: 128, k: 64, rows: 8 * 64 });
  });

  it('leaves the rows of decoding sequences alone', async () => {
    await run({ epilogue: 'residual', decodeRows: 3, n: 64, k: 32, rows: 67 });
    await run({ epilogue: 'store', decodeRows: 64, n: 64, k: 32, rows: 128 });
  });

  it('takes subgroup matrices first where the adapter is no CPU', () => {
    const units = (isCpu: boolean): Units | undefined =>
      matmulVariants({ dtype: 'f16', lanes: 1 }, { ...gpu.capabilities, isCpu }).prefill[0].units;
    const has = matrixVariants({ dtype: 'f16', lanes: 1 }, { ...gpu.capabilities, isCpu: false }).length > 0;
    expect(units(false) === 'matrix').toBe(has);
    expect(units(true)).not.toBe('matrix');
  });
});

const config = (shape: string, result = 'f32'): SubgroupMatrixConfig => {
  const [M, N, K] = shape.split('x').map(Number);
  return { componentType: 'f16', resultComponentType: result, M, N, K };
};

function capabilities(
  lanes: readonly [number, number],
  configs: SubgroupMatrixConfig[],
  more: Partial<Capabilities> = {},
): Capabilities {
  const known: Partial<Capabilities> = {
    ...{ f16: true, subgroups: true, subgroupId: true, subgroupSizeControl: true, isCpu: false },
    ...{ subgroupMinSize: lanes[0], subgroupMaxSize: lanes[1], subgroupMatrixConfigs: configs },
    ...{ maxInvocations: 1024, maxWorkgroupBytes: 48 * 1024 },
    ...more,
  };
  return known as Capabilities;
}

describe('the tiles offered', () => {
  const names = (adapter: Capabilities): string[] =>
    matrixVariants({ dtype: 'f16', lanes: 1 }, adapter).map(({ name }) => name);
  const nvidia = ['16x16x16', '16x8x16', '16x8x8'].map((shape) => config(shape));

  it('span large and small for NVIDIA, its largest matrix first', () => {
    const found = names(capabilities([32, 32], nvidia));
    expect(found[0]).toBe('matrix16x16x16-256x128-8');
    for (const shape of ['16x16x16', '16x8x16', '16x8x8']) {
      for (const tile of [
        '256x128-8-k16-double',
        '128x256-8',
        '128x256-8-k16-double',
        '128x128-k16-double',
        '128x128-double',
        '64x64',
        '32x64-2-double',
      ]) {
        expect(found).toContain(`matrix${shape}-${tile}`);
      }
    }
    expect(new Set(found).size).toBe(found.length);
  });

  it('fit subgroups of 8 and 16 lanes, and workgroup memory of 16 KiB', () => {
    const intel = names(capabilities([16, 32], [config('8x16x16')]));
    expect(intel).toContain('matrix8x16x16-64x64');
    expect(names(capabilities([8, 8], [config('8x8x8')], { isCpu: true }))).toContain('matrix8x8x8-64x64');
    const small = matrixVariants(
      { dtype: 'f16', lanes: 1 },
      capabilities([32, 32], nvidia, { maxWorkgroupBytes: 16 * 1024 }),
    );
    expect(small.length).toBeGreaterThan(0);
    for (const { defines } of small) expect(Number(defines.STAGED) * 16).toBeLessThanOrEqual(16 * 1024);
  });

  it('sum in f16 only where f32 is not offered', () => {
    expect(names(capabilities([32, 32], [config('16x16x16', 'f16'), ...nvidia]))).not.toContainEqual(
      expect.stringMatching(/-f16$/),
    );
    const apple = names(capabilities([32, 32], [config('8x8x8', 'f16')]));
    expect(apple.length).toBeGreaterThan(0);
    expect(apple.filter((name) => !name.endsWith('-f16'))).toEqual([]);
  });

  it('are none without f16, configurations, or subgroups of a known size', () => {
    expect(names(capabilities([32, 32], nvidia, { f16: false }))).toEqual([]);
    expect(names(capabilities([32, 32], []))).toEqual([]);
    expect(names(capabilities([16, 32], nvidia, { subgroupSizeControl: false }))).toEqual([]);
    expect(names(capabilities([0, 0], nvidia, { subgroups: false }))).toEqual([]);
    expect(matrixVariants({ dtype: 'f32', lanes: 1 }, capabilities([32, 32], nvidia))).toEqual([]);
    expect(matrixVariants({ dtype: 'bf16', lanes: 1 }, capabilities([32, 32], nvidia))).toEqual([]);
  });
});
