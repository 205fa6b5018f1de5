import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ceilingOf } from '../../bench/kernels/ceiling.js';
import { kernelPoints } from '../../bench/kernels/points.js';
import { kernelsSchema, type KernelRecord, type KernelsResult } from '../../bench/kernels/schema.js';
import { kernelTables } from '../../bench/kernels/table.js';
import type { Capabilities } from '../../src/gpu/capabilities.js';
import { parseConfig } from '../../src/model/config.js';
import { packageRoot } from '../../src/platform/node/package-root.js';
import { calibration } from '../roofline/calibration.js';

const presets = JSON.parse(readFileSync(join(packageRoot(), 'models', 'presets.json'), 'utf8')) as Record<
  string,
  unknown
>;
const LLAMA = parseConfig(presets['llama-2-7b'], 'preset');
const GPU = {
  isCpu: false,
  subgroups: true,
  subgroupMaxSize: 32,
  subgroupMatrixConfigs: [],
} as unknown as Capabilities;
const SWEEP = {
  models: [{ name: 'llama-2-7b', config: LLAMA }],
  shapes: [{ n: 100, k: 200 }],
  kinds: ['matmul', 'attention', 'norm', 'rope', 'embed', 'sample'] as const,
  rows: [1, 512],
  contexts: [1024],
  dtype: 'f16' as const,
  activations: 'f32' as const,
  kv: 'f16' as const,
};

describe('points', () => {
  it('are the sizes of the model and those given, with the bytes and FLOPs of each', () => {
    const points = kernelPoints(SWEEP, GPU);
    const of = (operation: string, rows: number) =>
      points.filter((each) => each.operation === operation && each.rows === rows);
    expect(points.filter(({ kind }) => kind === 'matmul').map(({ shape, rows }) => `${shape} ${rows}`)).toEqual([
      ...['12288x4096 1', '12288x4096 512', '4096x4096 1', '4096x4096 512', '22016x4096 1', '22016x4096 512'],
      ...['4096x11008 1', '4096x11008 512', '32000x4096 1', '100x200 1', '100x200 512'],
    ]);
    expect(of('o_proj', 512)[0]).toMatchObject({
      flops: 2 * 512 * 4096 * 4096,
      bytes: 2 * 4096 * 4096 + 4 * 512 * 8192,
      slice: null,
    });
    expect(of('attention, decode', 1)[0].bytes).toBe(2 * 2 * 1025 * 4096 + 2 * 4 * 4096);
    expect(of('attention, prefill', 512).map(({ context }) => context)).toEqual([0, 1024]);
    expect(of('sample', 512)).toEqual([]);
    const packed = kernelPoints({ ...SWEEP, dtype: 'int8-g128', activations: 'int8' }, GPU);
    expect(packed.find(({ operation, rows }) => operation === 'o_proj' && rows === 512)).toMatchObject({
      activations: 'int8',
      flops: 2 * 512 * 4096 * 4096,
      bytes: (4096 + 64) * 4096 + 512 * 4096 * (1 + 4),
    });
  });

  it('are sliced on a driver that runs on the CPU, and say so', () => {
    for (const { kind, slice, flops, bytes, shape } of kernelPoints(SWEEP, { ...GPU, isCpu: true })) {
      expect(flops, shape).toBeLessThan(3e9);
      expect(bytes, shape).toBeLessThan(100e6);
      if (kind === 'matmul' && shape === '32000x4096') expect(slice).toBe('8192x4096');
    }
  });
});

describe('the ceiling', () => {
  const ceilings = {
    ...calibration.ceilings,
    readBytesPerSecond: 1e9,
    f32FlopsPerSecond: 1e12,
    subgroupMatrix: [
      { componentType: 'f16', resultComponentType: 'f32', M: 16, N: 16, K: 16, flopsPerSecond: 8e12 },
      { componentType: 'f16', resultComponentType: 'f16', M: 16, N: 16, K: 16, flopsPerSecond: 16e12 },
    ],
  };

  it('is the one that takes longer, and its share what was reached of it', () => {
    const cost = { bytes: 1e6, flops: 4e9 };
    expect(ceilingOf({ ceilings }, cost, 'scalar', 0.008)).toEqual({
      name: 'f32',
      bound: 'compute',
      ms: 4,
      share: 0.5,
    });
    // Without a rate of their own, 8-bit integers are taken to be as fast as f32.
    expect(ceilingOf({ ceilings }, cost, 'dot8', 0.008)).toMatchObject({ name: 'f32', share: 0.5 });
    const dots = { ...ceilings, int8OpsPerSecond: 2e12 };
    expect(ceilingOf({ ceilings: dots }, cost, 'dot8', 0.008)).toMatchObject({ name: 'int8', share: 0.25 });
    // On matrix units the arithmetic takes half a millisecond, the bytes a whole one.
    expect(ceilingOf({ ceilings }, cost, 'matrix', 0.002)).toEqual({
      name: 'memory read',
      bound: 'memory',
      ms: 1,
      share: 0.5,
    });
  });
});

const record = (variant: string, ms: number): KernelRecord => ({
  ...{
    kind: 'matmul',
    model: null,
    operation: 'matmul',
    shape: '8x8',
    slice: null,
    dtype: 'f16',
    rows: 1,
    context: 0,
    variant,
  },
  ...{ default: variant === 'usual', samples_ms: [ms], median_ms: ms, spread: 0, bytes: 128, gb_per_s: 1, flops: 128 },
  ...{ tflop_per_s: 0.001, ceiling: null },
});

it('the table has the fastest first, marks the default, and asks for a calibration where there is none', () => {
  const result: KernelsResult = kernelsSchema.parse({
    ...{
      version: 1,
      complete: true,
      date: 'today',
      adapter: 'A',
      driver: 'B',
      tier: 'portable',
      ridgepoint: '1',
      git_commit: null,
    },
    ...{
      host: { os: '', cpu: '', threads: 1, memory_bytes: 1 },
      calibration: null,
      timer: 'timestamps',
      working_bytes: 1,
    },
    ...{ budget_s: 1, records: [record('usual', 2), record('fast', 1)], skipped: [{ id: 'x', reason: 'no memory' }] },
  });
  const text = kernelTables(result);
  expect(text).toMatch(/8x8.*fast .*\n.*usual \*/);
  expect(text).toContain('run "ridgepoint calibrate"');
  expect(text).toContain('- x: no memory');
});
