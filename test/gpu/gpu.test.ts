import { describe, expect, it } from 'vitest';
import { RidgepointError } from '../../src/errors.js';
import { tierOf, type Capabilities } from '../../src/gpu/capabilities.js';
import { Gpu } from '../../src/gpu/gpu.js';
import { adapters, openTestAdapter } from '../support/adapters.js';

const MATRIX = { componentType: 'f16', resultComponentType: 'f32', M: 16, N: 16, K: 16 };

describe('tierOf', () => {
  it.each([
    ['portable', false, false, []],
    ['subgroups', false, true, []],
    ['f16', true, false, []],
    ['f16+subgroups', true, true, []],
    ['tensor', true, true, [MATRIX]],
    ['subgroups', false, true, [MATRIX]],
  ] as const)('%s: f16 %s, subgroups %s', (tier, f16, subgroups, subgroupMatrixConfigs) => {
    expect(tierOf({ f16, subgroups, subgroupMatrixConfigs } as unknown as Capabilities)).toBe(tier);
  });
});

describe.each(adapters)('Gpu on %s', (adapter) => {
  const open = async (): Promise<Gpu> => Gpu.open(await openTestAdapter(adapter));

  it('reads capabilities that hang together', async () => {
    const gpu = await open();
    const { capabilities: c } = gpu;
    expect(c.maxBindingBytes).toBeGreaterThanOrEqual(128 << 20);
    expect(c.maxBufferBytes).toBeGreaterThanOrEqual(c.maxBindingBytes === 128 << 20 ? 128 << 20 : 256 << 20);
    expect(c.maxInvocations).toBeGreaterThanOrEqual(256);
    expect(c.maxWorkgroupBytes).toBeGreaterThanOrEqual(16384);
    expect(c.maxStorageBuffers).toBeGreaterThanOrEqual(8);
    expect(c.maxWorkgroupsPerDimension).toBeGreaterThanOrEqual(65535);
    expect(256 % c.offsetAlignment).toBe(0);
    if (c.subgroups) {
      expect(c.subgroupMinSize).toBeGreaterThanOrEqual(4);
      expect(c.subgroupMaxSize).toBeGreaterThanOrEqual(c.subgroupMinSize);
    } else {
      expect([c.subgroupMinSize, c.subgroupMaxSize, c.subgroupId]).toEqual([0, 0, false]);
    }
    if (adapter === 'lavapipe' || adapter === 'swiftshader') expect(c.isCpu).toBe(true);
    for (const [feature, has] of [
      ['shader-f16', c.f16],
      ['subgroups', c.subgroups],
      ['timestamp-query', c.timestamps],
    ] as const) {
      expect(gpu.device.features.has(feature), feature).toBe(has);
    }
    expect(gpu.device.limits.maxStorageBufferBindingSize).toBe(c.maxBindingBytes);
    expect(gpu.device.limits.maxBufferSize).toBe(c.maxBufferBytes);
    await gpu.dispose();
  });

  it('accounts for every buffer, gives zeroed ones, and frees each once', async () => {
    const gpu = await open();
    expect(gpu.allocatedBytes).toBe(0);
    const small = gpu.storage('small', 1);
    const odd = gpu.storage('odd', 100);
    const uniform = gpu.uniform('uniform', Uint32Array.of(1, 2, 3));
    expect([small.size, odd.size, uniform.size]).toEqual([16, 112, 16]);
    expect(gpu.allocatedBytes).toBe(144);
    expect(new Uint8Array(await gpu.read(odd)).every((byte) => byte === 0)).toBe(true);
    gpu.free(odd);
    gpu.free(odd);
    expect(gpu.allocatedBytes).toBe(32);
    gpu.check();
    await gpu.dispose();
    expect(gpu.allocatedBytes).toBe(0);
  });

  it('reads whole buffers and parts of them', async () => {
    const gpu = await open();
    const buffer = gpu.storage('words', 64);
    gpu.queue.writeBuffer(
      buffer,
      0,
      Uint32Array.from({ length: 16 }, (_, i) => i * i),
    );
    const all = new Uint32Array(await gpu.read(buffer));
    expect([...all]).toEqual(Array.from({ length: 16 }, (_, i) => i * i));
    expect([...new Uint32Array(await gpu.read(buffer, 8, 12))]).toEqual([4, 9, 16]);
    expect([...new Uint32Array(await gpu.read(buffer, 56))]).toEqual([196, 225]);
    expect(gpu.allocatedBytes, 'what reading takes is given back').toBe(64);
    await gpu.dispose();
  });

  it('refuses a buffer above the limit by name and size', async () => {
    const gpu = await open();
    const bytes = gpu.capabilities.maxBufferBytes + 16;
    const attempt = (): GPUBuffer => gpu.storage('keys of layer 3', bytes);
    expect(attempt).toThrow(RidgepointError);
    expect(attempt).toThrow(/^keys of layer 3 needs a buffer of \d+ MiB, but .* allows \d+ MiB$/);
    expect(gpu.allocatedBytes).toBe(0);
    await gpu.dispose();
  });

  it('shows a fault nobody caught at the next check, once', async () => {
    const gpu = await open();
    gpu.device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
    await gpu.queue.onSubmittedWorkDone();
    expect(() => gpu.check()).toThrow(/^GPU error: /);
    expect(() => gpu.check()).not.toThrow();
    await gpu.dispose();
  });

  it('passes on what an allocation throws, and its result', async () => {
    const gpu = await open();
    expect(await gpu.checkedAllocation('weights', () => gpu.storage('w', 32).size)).toBe(32);
    const failing = gpu.checkedAllocation('weights', () => Promise.reject(new Error('no such tensor')));
    await expect(failing).rejects.toThrow('no such tensor');
    expect(await gpu.checkedAllocation('weights', () => Promise.resolve(7))).toBe(7);
    await gpu.dispose();
  });

  it('disposes twice, and says nothing of a lost device', async () => {
    const gpu = await open();
    gpu.storage('a', 1024);
    let lost = 0;
    gpu.onLost(() => lost++);
    await gpu.dispose();
    await gpu.dispose();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(lost).toBe(0);
    expect(gpu.lost).toBe(false);
  });

  it('tells of a device that was lost in use', async () => {
    const gpu = await open();
    const told: RidgepointError[] = [];
    gpu.onLost((error) => told.push(error));
    gpu.device.destroy();
    await gpu.device.lost;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(gpu.lost).toBe(true);
    expect(told).toHaveLength(1);
    expect(told[0].code).toBe('device');
    gpu.onLost((error) => told.push(error));
    expect(told).toHaveLength(2);
    expect(() => gpu.check()).toThrow('the GPU device was lost');
    await gpu.dispose();
  });
});
