import { beforeAll, describe, expect, it } from 'vitest';
import type { Capabilities, SubgroupMatrixConfig } from '../../src/gpu/capabilities.js';
import type { Gpu } from '../../src/gpu/gpu.js';
import { record } from '../../src/gpu/recorder.js';
import { matmulParams, matmulVariants, type Epilogue } from '../../src/kernels/matmul.js';
import { laneRows, type WeightLayout } from '../../src/kernels/weights.js';
import { matrixVariants } from '../../src/kernels/matmul-matrix.js';
import { random, relativeError } from '../reference/compare.js';
import * as reference from '../reference/ops.js';
import { adapters, testGpu } from '../support/adapters.js';
import { freeingAll, poisoned, readFloats, storageOf, submit, touchedOutside, unstrided } from '../support/buffers.js';
import { stepUniform } from '../support/step.js';
import { rounded, weightMatrix } from '../support/weights.js';

/** Numbers that f16 holds, and their sums of products f32: nothing is rounded, so that only the order differs. */
function exactData(rows: number, n: number, k: number) {
  const rng = random(rows * n + k);
  const whole = (length: number): Float64Array => Float64Array.from({ length }, () => rng.integer(17) - 8);
  return {
    x: whole(rows * k),
    w: rounded(
      whole(n * k).map((value) => value / 8),
      'f16',
    ),
    residual: whole(rows * n),
  };
}

const layout = (capabilities: Capabilities): WeightLayout => ({ dtype: 'f16', lanes: laneRows(capabilities) });

describe.each(adapters)('matmul of many rows on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => void (gpu = await testGpu(adapter)));

  const run = async (epilogue: Epilogue, decodeRows: number, n: number, k: number, rows: number): Promise<void> => {
    const variants = matmulVariants(layout(gpu.capabilities), gpu.capabilities).many.filter((each) =>
      each.runs(gpu.capabilities),
    );
    const { x, w, residual } = exactData(rows, n, k);
    const product = reference.matmul(x, w, rows, n, k);
    const expected = epilogue === 'residual' ? reference.add(product, residual) : product;
    for (const variant of variants) {
      await freeingAll(gpu, async () => {
        const weights = weightMatrix(gpu, w, k, 'f16');
        const out = poisoned(gpu, 'out', (rows + 1) * n);
        if (epilogue === 'residual') gpu.queue.writeBuffer(out, 0, Float32Array.from(residual));
        const params = gpu.uniform('params', matmulParams(weights.parts[0], weights, k, n, 'tokens', epilogue));
        const pipeline = await gpu.pipelines.get(variant);
        const bindGroup = gpu.bindGroup(pipeline, 'matmul', [
          stepUniform(gpu, { tokens: rows, decodeRows }),
          params,
          storageOf(gpu, 'x', Float32Array.from(x)),
          weights.parts[0].buffer,
          out,
        ]);
        const tiles = Math.ceil((rows - decodeRows) / variant.rowsPerGroup);
        submit(gpu, (pass) => record(pass, pipeline, bindGroup, variant.groups(n, gpu.capabilities), tiles));
        const words = await readFloats(gpu, out);
        const made = unstrided(words, rows, n, n).subarray(decodeRows * n);
        expect(relativeError(made, expected.subarray(decodeRows * n)), variant.name).toBeLessThan(1e-6);
        expect(touchedOutside(new Uint32Array(words.buffer), rows, n, n), variant.name).toBe(0);
      });
    }
  };

  it('makes whole tiles and ragged ones, in several panels of row tiles', async () => {
    // 9 tiles of 64 rows and 17 of 32 are one more than one and two panels of 8.
    await run('store', 0, 96, 32, 8 * 64 + 5);
    await run('residual', 0, 128, 64, 8 * 64);
  });

  it('leaves the rows of decoding sequences alone', async () => {
    await run('residual', 3, 64, 32, 67);
    await run('store', 64, 64, 32, 128);
  });

  it('takes subgroup matrices first where the adapter is no CPU', () => {
    const many = (isCpu: boolean): string =>
      matmulVariants({ dtype: 'f16', lanes: 1 }, { ...gpu.capabilities, isCpu }).many[0].name;
    if (matrixVariants(layout(gpu.capabilities), gpu.capabilities).length === 0) return;
    expect(many(false)).toMatch(/^matrix/);
    expect(many(true)).not.toMatch(/^matrix/);
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
    expect(found[0]).toBe('matrix16x16x16-128x128');
    for (const shape of ['16x16x16', '16x8x16', '16x8x8']) {
      for (const tile of ['128x256-8', '128x128-double', '64x64', '32x64-2-double']) {
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
