import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { freeByName, freeGpuMemory, fromKernel } from '../../src/platform/node/gpu-memory.js';

const scratch = mkdtempSync(join(tmpdir(), 'ridgepoint-memory-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());
const MIB = 2 ** 20;

describe('a GPU’s free memory', () => {
  it('is read by name from nvidia-smi’s table', () => {
    const table = 'NVIDIA H200, 143155\nNVIDIA A2, 100\nNVIDIA H200, 7\nNVIDIA H100, [N/A]\nNVIDIA L4, \n';
    expect(freeByName(table, 'NVIDIA H200')).toEqual([143155 * MIB, 7 * MIB]);
    expect(freeByName(table, 'NVIDIA H100')).toEqual([]);
    expect(freeByName(table, 'NVIDIA L4')).toEqual([]);
    expect(freeByName('', 'NVIDIA H200')).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')('comes from the tool on PATH, the fullest of several alike', async () => {
    const tool = join(scratch, 'nvidia-smi');
    writeFileSync(tool, '#!/bin/sh\necho "NVIDIA H200, 143155"\necho "NVIDIA H200, 120000"\n');
    chmodSync(tool, 0o755);
    vi.stubEnv('PATH', `${scratch}:${process.env.PATH}`);
    expect(await freeGpuMemory('nvidia', 'NVIDIA H200')).toEqual({ bytes: 120000 * MIB, by: 'nvidia-smi' });
    expect(await freeGpuMemory('nvidia', 'NVIDIA H100')).toBeUndefined();
  });

  it('is unknown where the tool is absent, and for other vendors', async () => {
    vi.stubEnv('PATH', join(scratch, 'nowhere'));
    expect(await freeGpuMemory('nvidia', 'NVIDIA H200')).toBeUndefined();
    expect(await freeGpuMemory('intel', 'Arc')).toBeUndefined();
  });

  it('is read from the kernel’s files for AMD', async () => {
    const folder = join(scratch, 'drm');
    for (const [card, total, used] of [
      ['card0', 24, 4],
      ['card1', 0, 0],
      ['card0-DP-1', 1, 0],
    ] as const) {
      mkdirSync(join(folder, card, 'device'), { recursive: true });
      if (total === 0) continue; // a card of another maker
      writeFileSync(join(folder, card, 'device', 'mem_info_vram_total'), `${total * 2 ** 30}\n`);
      writeFileSync(join(folder, card, 'device', 'mem_info_vram_used'), `${used * 2 ** 30}\n`);
    }
    expect(await fromKernel(folder)).toEqual({ bytes: 20 * 2 ** 30, by: 'the driver' });
    expect(await fromKernel(join(folder, 'absent'))).toBeUndefined();
  });
});
