import { describe, expect, it } from 'vitest';
import type { EngineOptions } from '../../src/engine/api.js';
import { adapters } from '../support/adapters.js';
import { isFull } from '../support/scale.js';
import { changedHost, checkpointFile, reference, tinyFolder, tinyTensors, withEngine } from './support.js';

/** Lets the engine see a small binding limit, and counts the buffers that hold a part of a matrix. */
function limitedHost(maxStorageBufferBindingSize: number) {
  const parts: string[] = [];
  const onDevice = (device: GPUDevice): void => {
    const create = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      if (descriptor.label?.includes('from row')) parts.push(descriptor.label);
      return create(descriptor);
    };
  };
  return { parts, host: changedHost({ limits: { maxStorageBufferBindingSize }, onDevice }) };
}

describe.each(adapters)('weights larger than a binding on %s', (adapter) => {
  it.runIf(isFull)('give the ids of a whole model', async () => {
    const options: EngineOptions = { adapter, contextLength: 128, kvCacheTokens: 256, maxSequences: 2 };
    const prompts = ['Once upon a time', 'Lily had a dog. '.repeat(6)];
    const greedy = { temperature: 0, ignoreEos: true, maxTokens: 16 };
    const run = (host?: ReturnType<typeof limitedHost>['host']) =>
      withEngine(
        options,
        (engine) => Promise.all(prompts.map(async (prompt) => (await engine.generate(prompt, greedy).result).ids)),
        host,
      );
    const { parts, host } = limitedHost(200 * 1024);
    const split = await run(host);
    expect(new Set(parts.map((label) => label.split(' ')[0])).size, parts.join()).toBeGreaterThan(8);
    expect(split).toEqual(await run());
  });

  it('are cut at rows that no size divides', async () => {
    const tensors = tinyTensors();
    const prompt = Array.from({ length: 19 }, (_, i) => (i * 7 + 1) % 61);
    const { parts, host } = limitedHost(2600);
    const options = { adapter, model: tinyFolder({}, checkpointFile(tensors)), dtype: 'f32', kvDtype: 'f32' } as const;
    await withEngine(
      { ...options, contextLength: 32, kvCacheTokens: 32, maxSequences: 1 },
      async (engine) => {
        const { ids } = await engine.generate(prompt, { temperature: 0, ignoreEos: true, maxTokens: 12 }).result;
        expect(parts.filter((label) => label.startsWith('lm_head')).length).toBeGreaterThan(2);
        expect(ids).toEqual(reference(tensors).greedy(prompt, 12));
      },
      host,
    );
  });
});
