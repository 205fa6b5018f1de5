import { expect, it } from 'vitest';
import { built } from '../platform/child.js';
import { isHot, loopsOf } from '../support/pretend-gpu/loops.js';
import { describePretend, runModulePretended, runPretended } from '../support/pretend-gpu/run.js';
import { Capability } from '../support/pretend-gpu/spirv.js';
import { faultsOf, validator } from '../support/pretend-gpu/validate.js';
import { isFull } from '../support/scale.js';

/** Compiles shaders given as text, one after the other, past everything of ours but the adapter. */
const compiling = (bodies: readonly string[], features: readonly string[] = []) => `
  import { openAdapter } from ${built('platform/node/dawn.js')};
  const { adapter } = await openAdapter();
  const device = await adapter.requestDevice({ requiredFeatures: ${JSON.stringify(['subgroups', ...features])} });
  for (const code of ${JSON.stringify(bodies)}) {
    const module = device.createShaderModule({ code });
    await device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } });
  }
  console.log('compiled');
  process.exit(0);`;

const shader = (body: string) => `
  enable subgroups;
  @group(0) @binding(0) var<uniform> k8: u32;
  @group(0) @binding(1) var<storage, read> w: array<vec4<u32>>;
  @group(0) @binding(2) var<storage, read_write> out: array<u32>;
  fn fetch(k: u32) -> vec4<u32> { return w[k]; }
  @compute @workgroup_size(64) fn main(@builtin(subgroup_invocation_id) lane: u32) {
    var s = vec4<u32>();
    ${body}
    out[lane] = s.x + k8;
  }`;

const MATRICES = 'chromium-experimental-subgroup-matrix';
const WITH_BOTH = `
  enable subgroups;
  enable f16;
  enable chromium_experimental_subgroup_matrix;
  @group(0) @binding(0) var<storage, read_write> out: array<f16>;
  @compute @workgroup_size(32) fn main(@builtin(subgroup_invocation_id) lane: u32) {
    let sum = subgroupAdd(f32(lane));
    let m = subgroup_matrix_left<f16, 16, 16>(2h);
    subgroupMatrixStore<row_major>(&out, 0u, m, 16u);
    out[256u + lane] = f16(sum);
  }`;

describePretend('the pretended GPU', () => {
  it('is an H200 with matrices', async () => {
    const { code, stdout } = await runPretended(['scripts/ridgepoint.mjs', 'devices', '--json']);
    expect(code).toBe(0);
    expect(stdout).toContain('NVIDIA H200');
    expect(stdout).toContain('tensor');
  });

  it('keeps what Tint made of loops, and tells which are guarded', async () => {
    const bodies = [
      'for (var k = lane; k < k8; k += 32u) { s += w[k]; }',
      'for (var i = 0u; i < 64u; i++) { let k = lane + i * 32u; if (k >= k8) { break; } s += fetch(k); }',
      'for (var i = 0u; i < 4u; i++) { for (var k = lane; k < k8; k += 32u) { s.x += w[k].y; } }',
      'for (var i = 0u; i < 4u; i++) { s.x += i; }',
    ];
    const { code, modules } = await runModulePretended(compiling(bodies.map(shader)), { dump: true });
    expect(code).toBe(0);
    expect(modules).toHaveLength(bodies.length);
    const [bounded, counted, nested, idle] = modules.map(loopsOf);
    const load = { binding: 1, bytes: 16 };
    expect(bounded).toMatchObject([{ guarded: true, innermost: true, loads: [load] }]);
    expect(counted).toMatchObject([{ guarded: false, loads: [load] }]);
    expect(nested).toMatchObject([
      { innermost: false, loads: [{ bytes: 4 }] },
      { guarded: true, innermost: true, loads: [{ bytes: 4 }] },
    ]);
    expect(idle.map(isHot)).toEqual([false]);
  });

  it.runIf(isFull)('crashes where it is told to, and nowhere else', async () => {
    const source = compiling([WITH_BOTH], [MATRICES, 'shader-f16']);
    const fine = await runModulePretended(source, { dump: true });
    expect(fine).toMatchObject({ code: 0, stdout: 'compiled\n' });
    expect([...fine.modules[0].capabilities]).toEqual(
      expect.arrayContaining([Capability.cooperativeMatrix, Capability.groupArithmetic]),
    );
    const crashed = await runModulePretended(source, { env: { FAKENV_CRASH: '1' } });
    expect(crashed).toMatchObject({ code: null, signal: 'SIGSEGV', stdout: '' });
    expect(await runModulePretended(compiling([shader('s.x = lane;')]), { env: { FAKENV_CRASH: '1' } })).toMatchObject({
      code: 0,
    });
  });

  it('traces launches, barriers and copies of each submission', async () => {
    const source = `
      import { openAdapter } from ${built('platform/node/dawn.js')};
      const { adapter } = await openAdapter();
      const device = await adapter.requestDevice({ requiredFeatures: ['subgroups'] });
      const module = device.createShaderModule({ code: ${JSON.stringify(shader('s = w[lane];'))} });
      const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } });
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      const buffers = [16, 1024, 1024].map((size) => device.createBuffer({ size, usage }));
      const group = device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
      });
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      for (const x of [7, 8, 9]) pass.dispatchWorkgroups(x, 2);
      pass.end();
      encoder.copyBufferToBuffer(buffers[2], 0, buffers[1], 0, 1024);
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      process.exit(0);`;
    const { code, submissions } = await runModulePretended(source, { trace: true, dump: true });
    expect(code).toBe(0);
    const ours = submissions.filter(({ dispatches }) => dispatches.length > 0);
    expect(ours).toHaveLength(1);
    expect(ours[0].dispatches.map(({ grid }) => grid)).toEqual([
      [7, 2, 1],
      [8, 2, 1],
      [9, 2, 1],
    ]);
    expect(ours[0]).toMatchObject({ barriers: 2, pipelines: 1, copies: 1 });
  });
});

const valid = await validator();

describePretend('its SPIR-V', () => {
  it.skipIf('missing' in valid)(`passes spirv-val${'missing' in valid ? ` (${valid.missing})` : ''}`, async () => {
    const { program } = valid as { program: string };
    const source = compiling([shader('s = w[lane];'), WITH_BOTH], [MATRICES, 'shader-f16']);
    const { modules } = await runModulePretended(source, { dump: true });
    expect(await Promise.all(modules.map((module) => faultsOf(program, module)))).toEqual([undefined, undefined]);
    const [{ binary }] = modules;
    const cut = binary.slice(0, binary.length - 4); // without the function's end
    expect(await faultsOf(program, { ...modules[0], binary: cut })).toMatch(/function/i);
  });
});
