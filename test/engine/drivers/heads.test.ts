import { describe, expect, it } from 'vitest';
import { headsOf, wrongRope } from '../../../src/engine/drivers/heads.js';
import { Gpu } from '../../../src/gpu/gpu.js';
import { shaderText } from '../../../src/gpu/shader-source.js';
import { adapters, openTestAdapter, testGpu } from '../../support/adapters.js';
import { tinyConfig } from '../../support/model.js';

const llama = tinyConfig();
const qwen2 = tinyConfig({ model_type: 'qwen2' });
const qwen3 = tinyConfig({ model_type: 'qwen3', head_dim: 10 });

it('knows what a family does with its heads before they are rotated', () => {
  expect(headsOf(llama)).toEqual({ bias: false, norm: false });
  expect(headsOf(qwen2)).toEqual({ bias: true, norm: false });
  expect(headsOf(qwen3)).toEqual({ bias: false, norm: true });
});

describe.each(adapters)('rotation on %s', (adapter) => {
  it.each([
    [llama, 'f16'],
    [qwen2, 'f32'],
    [qwen2, 'int8'],
    [qwen3, 'f16'],
    [qwen3, 'int8'],
  ] as const)('is what float64 says: %#', async (config, kv) => {
    const gpu = await testGpu(adapter);
    const before = gpu.allocatedBytes;
    expect(await wrongRope(gpu, config, kv)).toBeUndefined();
    expect(gpu.allocatedBytes).toBe(before);
  });

  it.each([
    [qwen2, 'pair + constant_pair(params.bias_at + head * HALF + i)', 'pair', /^queries: /],
    [qwen3, 'select(0u, HALF, head >= HEADS)', '0u', /^keys: /],
    [qwen3, 'return pair * head_scale', 'return pair', /^queries: /],
  ] as const)('is found wrong where a constant is left out: %#', async (config, from, to, reason) => {
    const source = await openTestAdapter(adapter);
    const readShader = (path: string): string => {
      const text = shaderText(path);
      if (path !== 'rope/head.wgsl') return text;
      expect(text).toContain(from);
      return text.replace(from, to);
    };
    const gpu = await Gpu.open({ ...source, readShader });
    const wrong = await wrongRope(gpu, config, 'f16');
    expect(wrong?.kernel).toMatch(/^rope_kv\(/);
    expect(wrong?.reason).toMatch(reason);
    await gpu.dispose();
  });
});
