import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { devices } from '../../src/cli/commands/devices/run.js';
import { listAdapters, openAdapter } from '../../src/platform/node/dawn.js';
import { adapters, openTestAdapter } from '../support/adapters.js';
import { built, nodeCommand, run, runModule } from './child.js';

const onX64Linux = process.platform === 'linux' && process.arch === 'x64';

describe('adapters of this machine', () => {
  it.runIf(onX64Linux && !process.env.RIDGEPOINT_TEST_ADAPTERS)('include SwiftShader on x64 Linux', () => {
    expect(adapters).toContain('swiftshader');
  });

  it('mark the first of the list as the default, and open it when none is named', async () => {
    const all = await listAdapters();
    expect(all.map(({ isDefault }) => isDefault)).toEqual(all.map((_, index) => index === 0));
    expect((await openAdapter()).name).toBe(all[0].name);
  });

  it('refuse a name nobody has, listing the names there are', async () => {
    const all = await listAdapters();
    const error = await openAdapter({ adapter: 'no such thing' }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'RidgepointError', code: 'adapter' });
    for (const { name } of all) expect((error as Error).message).toContain(`"${name}"`);
  });
});

describe.each(adapters)('adapter %s', (name) => {
  it('is opened by its name and computes', async () => {
    const { adapter, gpu, isCpu, source, driver, languageFeatures } = await openTestAdapter(name);
    expect(languageFeatures).toBe(gpu.wgslLanguageFeatures);
    expect(driver).not.toBe('');
    expect(isCpu).toBe(source !== 'hardware');
    const device = await adapter.requestDevice();
    const code = '@group(0) @binding(0) var<storage, read_write> out: array<u32>;'.concat(
      '@compute @workgroup_size(4) fn main(@builtin(local_invocation_index) i: u32) { out[i] = i * i + 1u; }',
    );
    const pipeline = await device.createComputePipelineAsync({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code }) },
    });
    const out = device.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
    const readback = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [{ binding: 0, resource: { buffer: out } }],
      }),
    );
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(out, 0, readback, 0, 16);
    device.queue.submit([encoder.finish()]);
    await readback.mapAsync(GPUMapMode.READ);
    expect([...new Uint32Array(readback.getMappedRange())]).toEqual([1, 2, 5, 10]);
    device.destroy();
    await device.lost;
  });

  it('opens without checks', async () => {
    const { adapter } = await openAdapter({ adapter: name, unsafeFast: true });
    const device = await adapter.requestDevice();
    await expect(device.queue.onSubmittedWorkDone()).resolves.toBeUndefined();
    device.destroy();
    expect((await device.lost).reason).toBe('destroyed');
  });
});

describe('devices', () => {
  it('prints aligned text, the default marked', async () => {
    let text = '';
    expect(await devices({ write: (output) => (text += output) })).toBe(0);
    expect(text).toMatch(/^\* .+ {2}\(used by default\)\n {2}driver +\S/);
    expect(text.match(/\(used by default\)/g)).toHaveLength(1);
    const starts = text.split('\n').flatMap((line) => /^ {2}\S+(?: \S+)* {2,}/.exec(line)?.[0].length ?? []);
    expect(new Set(starts).size).toBe(1);
  });

  it('prints JSON for one adapter', async () => {
    let text = '';
    await devices({ json: true, adapter: adapters[0], write: (output) => (text += output) });
    expect(JSON.parse(text)).toMatchObject([
      { default: expect.any(Boolean) as boolean, tier: expect.any(String) as string },
    ]);
  });

  it('refuses a name nobody has', async () => {
    await expect(devices({ adapter: 'no such thing' })).rejects.toMatchObject({ code: 'adapter' });
  });
});

describe.runIf(onX64Linux)('other machines', () => {
  let empty: string;
  beforeAll(async () => (empty = await mkdtemp(join(tmpdir(), 'ridgepoint-dawn-'))));
  afterAll(() => rm(empty, { recursive: true, force: true }));

  const open = (options: string) => `
    import { openAdapter } from ${built('platform/node/dawn.js')};
    try {
      const { source, hint } = await openAdapter(${options});
      console.log(source, '|', hint);
    } catch (error) { console.log(error.code, error.message); }
    process.exit(0);
  `;
  // The loader looks for drivers below these.
  const noDrivers = () => ({
    ...process.env,
    XDG_DATA_DIRS: empty,
    XDG_CONFIG_DIRS: empty,
    VK_DRIVER_FILES: '',
    VK_ICD_FILENAMES: '',
    VK_ADD_DRIVER_FILES: '',
  });

  it('with drivers chosen by the user: those only, and an error that names the variable', async () => {
    const { stdout } = await runModule(open('{}'), { env: { ...process.env, VK_DRIVER_FILES: '/nowhere.json' } });
    expect(stdout).toMatch(/^adapter .*VK_DRIVER_FILES=\/nowhere\.json/);
  });

  it('opened quietly: nothing on standard error', async () => {
    const { stdout } = await run('bash', ['-c', `${nodeCommand(open('{}'))} 2>&1 >/dev/null | cat`], {
      env: noDrivers(),
    });
    expect(stdout).toBe('');
  });

  it('without any driver of their own: SwiftShader, with a hint', async () => {
    const { stdout } = await runModule(open('{}'), { env: noDrivers() });
    expect(stdout).toMatch(/^SwiftShader from npm \| Running on SwiftShader.*mesa/i);
  });

  it('SwiftShader asked for by name comes without a hint', async () => {
    const { stdout } = await runModule(open("{ adapter: 'swiftshader' }"), { env: noDrivers() });
    expect(stdout).toBe('SwiftShader from npm | undefined\n');
  });
});
