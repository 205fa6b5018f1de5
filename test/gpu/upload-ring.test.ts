import { describe, expect, it } from 'vitest';
import { Gpu } from '../../src/gpu/gpu.js';
import { UploadRing } from '../../src/gpu/upload-ring.js';
import { adapters, openTestAdapter, testGpu } from '../support/adapters.js';
import { readWords } from '../support/buffers.js';

describe.each(adapters)('a ring of upload buffers on %s', (adapter) => {
  it('brings everything to its place, through no more memory than it may have', async () => {
    const gpu = await testGpu(adapter);
    const target = gpu.storage('target', 4 * 500);
    const before = gpu.allocatedBytes;
    const ring = new UploadRing(gpu, { slotBytes: 160, slots: 2 });
    let most = 0;
    // Pieces of 4 to 156 bytes, in places of their own, so that some share a buffer and others do not.
    const expected = new Uint32Array(500);
    for (let at = 0, words = 1; at + words <= 500; at += words, words = (words * 7) % 40) {
      const bytes = await ring.room(4 * words);
      expect(bytes.byteOffset % 16).toBe(0);
      const room = new Uint32Array(bytes.buffer, bytes.byteOffset, words);
      for (let i = 0; i < words; i++) expected[at + i] = room[i] = 1000 * at + i;
      ring.copy(room.subarray(0, words >> 1), target, 4 * at);
      ring.copy(room.subarray(words >> 1), target, 4 * (at + (words >> 1)));
      most = Math.max(most, gpu.allocatedBytes - before);
    }
    await ring.drain();
    expect(most).toBe(2 * 160);
    expect(await readWords(gpu, target)).toEqual(expected);
    ring.destroy();
    expect(gpu.allocatedBytes).toBe(before);
    gpu.free(target);
  });

  it('makes a buffer for what fits none, and lets go of it', async () => {
    const gpu = await testGpu(adapter);
    const target = gpu.storage('target', 4 * 300);
    const before = gpu.allocatedBytes;
    const ring = new UploadRing(gpu, { slotBytes: 16, slots: 2 });
    for (let part = 0; part < 3; part++) {
      const room = new Uint32Array((await ring.room(400)).buffer).fill(part + 1);
      ring.copy(room, target, 400 * part);
      expect(gpu.allocatedBytes - before).toBe(400);
    }
    await ring.drain();
    expect(gpu.allocatedBytes).toBe(before);
    expect(await readWords(gpu, target)).toEqual(Uint32Array.from({ length: 300 }, (_, i) => 1 + Math.floor(i / 100)));
    ring.destroy();
    gpu.free(target);
  });

  it('refuses memory that is not its own', async () => {
    const gpu = await testGpu(adapter);
    const target = gpu.storage('target', 64);
    const ring = new UploadRing(gpu, { slotBytes: 64 });
    expect(() => ring.copy(new Uint8Array(4), target, 0)).toThrow(/not of the last room/);
    const room = await ring.room(32);
    ring.flush();
    expect(room.length).toBe(0); // detached: the GPU has it now
    await ring.drain();
    ring.destroy();
    gpu.free(target);
  });

  it('ends with the loss of the device, wherever it waits', async () => {
    for (const wait of ['room', 'drain'] as const) {
      const gpu = await Gpu.open(await openTestAdapter(adapter));
      const target = gpu.storage('target', 64);
      const ring = new UploadRing(gpu, { slotBytes: 64, slots: 1 });
      ring.copy(await ring.room(64), target, 0);
      if (wait === 'room') ring.flush();
      gpu.device.destroy();
      await expect(wait === 'room' ? ring.room(64) : ring.drain()).rejects.toThrow(/the GPU device was lost/);
      ring.destroy();
      await gpu.dispose();
    }
  });
});
