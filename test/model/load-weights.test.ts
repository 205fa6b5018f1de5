import { describe, expect, it } from 'vitest';
import { Gpu } from '../../src/gpu/gpu.js';
import { laneRows, paddedColumns, type FloatDtype, type StoredDtype } from '../../src/kernels/weights.js';
import { loadCheckpoint, type WeightLoadOptions } from '../../src/model/load-weights.js';
import { modelMatrices, namedVocabulary } from '../../src/model/matrices.js';
import { allocateWeights, type ModelWeights } from '../../src/model/weights.js';
import { adapters, openTestAdapter } from '../support/adapters.js';
import { readWords } from '../support/buffers.js';
import { fakeCheckpoint, randomWeights, tinyConfig } from '../support/model.js';
import { encode } from '../support/weights.js';

const config = tinyConfig();
const values = randomWeights(config, 'f32', 11);
const checkpoint = fakeCheckpoint(config, values);

/** Without subgroups rows lie one after another, as on a GPU, and are made where they are uploaded from. */
const openGpu = async (adapter: string, rowMajor = false): Promise<Gpu> =>
  Gpu.open({ ...(await openTestAdapter(adapter)), ...(rowMajor ? { disabled: ['subgroups'] } : {}) });

async function load(gpu: Gpu, dtype: StoredDtype, options?: WeightLoadOptions): Promise<ModelWeights> {
  const weights = allocateWeights(gpu, config, { dtype, tied: false });
  await loadCheckpoint({ gpu, config, checkpoint, weights }, options);
  return weights;
}

async function wordsOf(gpu: Gpu, weights: ModelWeights): Promise<Uint32Array[]> {
  const words: Uint32Array[] = [];
  for (const { target } of modelMatrices(config, namedVocabulary(config))) {
    const found = target(weights);
    for (const buffer of 'parts' in found ? found.parts.map((part) => part.buffer) : [found]) {
      words.push(await readWords(gpu, buffer));
    }
  }
  return words;
}

describe.each(adapters)('loading on %s', (adapter) => {
  it.each<FloatDtype>(['f16', 'bf16', 'f32'])('puts rows one after another, padded with zeros: %s', async (dtype) => {
    const gpu = await openGpu(adapter, true);
    expect(laneRows(gpu.capabilities)).toBe(1);
    const { layers } = await load(gpu, dtype, { slabBytes: 700 });
    const matrix = layers[1].matrices.down_proj; // 172 columns in rows of 192
    const bytes = await gpu.read(matrix.parts[0].buffer);
    const found = dtype === 'f32' ? new Uint32Array(bytes) : new Uint16Array(bytes);
    const stride = paddedColumns(172);
    const source = values['model.layers.1.mlp.down_proj.weight'];
    const wrong = [...found.keys()].filter((i) => {
      const [row, col] = [Math.floor(i / stride), i % stride];
      return found[i] !== (row < 64 && col < 172 ? encode(source[row * 172 + col], dtype) : 0);
    });
    expect(found.length).toBe(64 * stride);
    expect(wrong).toEqual([]);
    await gpu.dispose();
  });

  it.each([true, false])('gives the same bits however it is cut, rows in a row: %s', async (rowMajor) => {
    const gpu = await openGpu(adapter, rowMajor);
    for (const dtype of ['f16', 'bf16', 'int8-g32', 'int4-g64-zp'] as const) {
      const whole = await wordsOf(gpu, await load(gpu, dtype));
      for (const slabBytes of [700, 30_000]) {
        expect(await wordsOf(gpu, await load(gpu, dtype, { slabBytes }))).toEqual(whole);
      }
    }
    await gpu.dispose();
  });

  it('lets go of its memory when it is stopped, and can be begun again', async () => {
    const gpu = await openGpu(adapter);
    const weights = allocateWeights(gpu, config, { dtype: 'f16', tied: false });
    const before = gpu.allocatedBytes;
    const stop = new AbortController();
    const onProgress = (bytes: number): void => {
      if (bytes > weights.bytes / 2) stop.abort();
    };
    const options = { slabBytes: 700, signal: stop.signal, onProgress };
    await expect(loadCheckpoint({ gpu, config, checkpoint, weights }, options)).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(gpu.allocatedBytes).toBe(before);
    await loadCheckpoint({ gpu, config, checkpoint, weights }, { slabBytes: 700 });
    expect(gpu.allocatedBytes).toBe(before);
    await gpu.dispose();
  });

  it('ends with the device, and says so', async () => {
    const gpu = await openGpu(adapter);
    const onProgress = (bytes: number): void => {
      if (bytes > 10_000) gpu.device.destroy();
    };
    await expect(load(gpu, 'f16', { slabBytes: 700, onProgress })).rejects.toThrow(/the GPU device was lost/);
    await gpu.dispose();
  });
});
