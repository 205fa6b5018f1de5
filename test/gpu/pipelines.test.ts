import { beforeAll, describe, expect, it } from 'vitest';
import { PipelineCache, pipelineName, type PipelineSpec } from '../../src/gpu/pipelines.js';
import { RidgepointError } from '../../src/errors.js';
import type { Gpu } from '../../src/gpu/gpu.js';
import { record } from '../../src/gpu/recorder.js';
import { adapters, testGpu } from '../support/adapters.js';
import { freeingAll, poisoned, readWords, submit } from '../support/buffers.js';

const FILES: Record<string, string> = {
  'fill.wgsl': `
@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) group: vec3<u32>) { out[group.x] = VALUE + group.x; }`,
  'broken.wgsl': `
@group(0) @binding(0) var<storage, read_write> out: array<u32>;
//#if twice
fn unused() {}
//#endif
@compute @workgroup_size(1)
fn main() { out[0] = nowhere + 1u; }`,
};

const fill = (value: number): PipelineSpec => ({ shader: 'fill.wgsl', bindings: 'w', defines: { VALUE: value } });

describe('pipelineName', () => {
  it('says which shader with what, in one order', () => {
    const defines = { subgroups: true, MT: 1, weights_f32: false, R: 4 };
    expect(pipelineName({ shader: 'matmul/matmul_vec.wgsl', bindings: 'u', defines })).toBe(
      'matmul_vec(MT=1,R=4,subgroups)',
    );
    expect(pipelineName({ shader: 'family/a.wgsl', bindings: 'u', defines: {} })).toBe('a()');
  });
});

describe.each(adapters)('pipelines on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => void (gpu = await testGpu(adapter)));

  const cache = (): { cache: PipelineCache; reads: string[] } => {
    const reads: string[] = [];
    const read = (path: string): string => {
      reads.push(path);
      return FILES[path];
    };
    return { cache: new PipelineCache(gpu.device, read), reads };
  };

  it('compiles once for callers at the same time and later ones, and tells of its progress', async () => {
    const { cache: pipelines, reads } = cache();
    const progress: [number, number, string][] = [];
    pipelines.onProgress = (...step) => void progress.push(step);
    const first = await Promise.all([fill(1), fill(1), fill(2), fill(1)].map((spec) => pipelines.get(spec)));
    expect(new Set(first).size).toBe(2);
    expect(await pipelines.get(fill(2))).toBe(first[2]);
    expect(reads).toEqual(['fill.wgsl', 'fill.wgsl']);
    expect(progress.map(([finished, started]) => [finished, started])).toEqual([
      [0, 1],
      [0, 2],
      [1, 2],
      [2, 2],
    ]);
    expect(first[0].layout).toBe(first[2].layout);
    expect(pipelines.layout('w')).toBe(first[0].layout);
  });

  it('makes pipelines that run, over grids that may be empty', async () => {
    const { cache: pipelines } = cache();
    const pipeline = await pipelines.get(fill(7));
    await freeingAll(gpu, async () => {
      const out = poisoned(gpu, 'out', 8);
      const untouched = await readWords(gpu, out);
      const bindGroup = gpu.bindGroup(pipeline, 'fill', [{ buffer: out, offset: 0, size: 16 }]);
      submit(gpu, (pass) => {
        record(pass, { pipeline, bindGroup }, 0);
        record(pass, { pipeline, bindGroup }, 5, 0);
        record(pass, { pipeline, bindGroup }, 5, 1, 0);
      });
      expect(await readWords(gpu, out)).toEqual(untouched);
      submit(gpu, (pass) => record(pass, { pipeline, bindGroup }, 3));
      expect([...(await readWords(gpu, out)).subarray(0, 4)]).toEqual([7, 8, 9, untouched[3]]);
    });
  });

  it('names the kernel, the line and its text when a shader does not compile', async () => {
    const { cache: pipelines } = cache();
    gpu.device.pushErrorScope('validation');
    const spec = { shader: 'broken.wgsl', bindings: 'w', defines: { twice: true } };
    const error: unknown = await pipelines.get(spec).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RidgepointError);
    await gpu.device.popErrorScope();
    const { message, code } = error as RidgepointError;
    expect(code).toBe('internal');
    expect(message).toMatch(/^kernel broken\(twice\) does not compile: line \d+: .*nowhere.*: fn main\(\)/s);
  });
});
