import { describe, expect, it } from 'vitest';
import { allocatePagedKv } from '../../../src/cache/paged-kv.js';
import { checkDefaults, runDefaults, trialKey, type TrialModel } from '../../../src/engine/drivers/trial.js';
import { contestsOf } from '../../../src/tuning/contests.js';
import { Gpu } from '../../../src/gpu/gpu.js';
import { shaderText } from '../../../src/gpu/shader-source.js';
import type { StoredDtype } from '../../../src/kernels/weights.js';
import type { ModelConfig } from '../../../src/model/config.js';
import { distinctLayers, type LayerFormats } from '../../../src/model/layer-formats.js';
import { ForwardPass } from '../../../src/model/forward-pass.js';
import { allocateWeights } from '../../../src/model/weights.js';
import { adapters, openTestAdapter } from '../../support/adapters.js';
import { tinyConfig } from '../../support/model.js';

const config = tinyConfig({ num_hidden_layers: 4 });
const limits = { stepTokens: 40, sequences: 2, decodeRows: 4, contextLength: 64 };
const model = (own: Partial<TrialModel> = {}): TrialModel => ({
  ...{ config, dtype: 'f16', head: 'f16', activations: 'f32', kv: 'f16', tied: false, limits },
  ...own,
});

const WINDOWED = tinyConfig({
  ...{ num_hidden_layers: 4, model_type: 'qwen2', use_sliding_window: true },
  ...{ sliding_window: 20, max_window_layers: 3 },
});

/** Layers 1 and 3 alike, layer 2 of its own, layer 0 as common. */
const MIXED: LayerFormats = new Map<string, StoredDtype>([
  ['model.layers.1.mlp.gate_up', 'int8-g32-zp'],
  ['model.layers.2.self_attn.qkv', 'f16'],
  ['model.layers.3.mlp.gate_up', 'int8-g32-zp'],
]);

/** The first row in place of the one that is wanted. */
const WANTED = { file: 'matmul/matmul.wgsl', from: 'return wanted[m];', to: 'return m + 0u * wanted[0];' };

async function openGpu(adapter: string, change?: { file: string; from: string; to: string }): Promise<Gpu> {
  const source = await openTestAdapter(adapter);
  return Gpu.open({
    ...source,
    readShader: (path) => {
      const text = shaderText(path);
      if (path !== change?.file) return text;
      expect(text).toContain(change.from);
      return text.replaceAll(change.from, change.to);
    },
  });
}

describe('layers of a mixed checkpoint', () => {
  it('are one of each kind', () => {
    expect(distinctLayers(4, new Map())).toEqual({ layers: 1, formats: [] });
    expect(distinctLayers(4, MIXED)).toEqual({
      layers: 3,
      formats: [
        ['model.layers.1.mlp.gate_up', 'int8-g32-zp'],
        ['model.layers.2.self_attn.qkv', 'f16'],
      ],
    });
    // One where no layer is as common.
    const all: LayerFormats = new Map([0, 1].map((i) => [`model.layers.${i}.mlp.gate_up`, 'f16'] as const));
    expect(distinctLayers(2, all)).toEqual({ layers: 1, formats: [['model.layers.0.mlp.gate_up', 'f16']] });
  });
});

describe.each(adapters)('a trial on %s', (adapter) => {
  it.each<[string, ModelConfig, string]>([
    ['of mixed formats', config, 'quantized'],
    // Whose first layers have no window.
    ['whose last layer has a window', WINDOWED, 'window'],
  ])('runs every kernel that a model takes %s', async (_, config, word) => {
    const gpu = await openGpu(adapter);
    const trial = model({ config, dtype: 'int4-g32-zp', distinct: distinctLayers(4, MIXED) });
    const tried = new Set<string>();
    gpu.pipelines.trying = (names) => names.forEach((name) => tried.add(name));
    await runDefaults(gpu, trial);
    gpu.pipelines.trying = undefined;
    const made = new Set<string>();
    const own = await openGpu(adapter);
    own.pipelines.onProgress = (_, __, name) => made.add(name);
    const weights = allocateWeights(own, config, { dtype: trial.dtype, tied: false, head: 'f16', formats: MIXED });
    const cache = allocatePagedKv(own, config, 'f16', config.layers, 4);
    await (
      await ForwardPass.create(own, { config, weights, cache, limits })
    ).ready;
    expect([...made].filter((name) => !tried.has(name))).toEqual([]);
    expect([...made].filter((name) => name.includes(word)).length).toBeGreaterThan(1);
    await Promise.all([gpu.dispose(), own.dispose()]);
  });

  it('knows a model of mixed formats from another, and has contests for each format', async () => {
    const gpu = await openGpu(adapter);
    const mixed = model({ dtype: 'int4-g32-zp', distinct: distinctLayers(4, MIXED) });
    const common = model({ dtype: 'int4-g32-zp' });
    expect(trialKey(mixed)).not.toBe(trialKey(common));
    expect(trialKey({ ...common, config: WINDOWED })).not.toBe(trialKey(common));
    const keys = ({ kv, ...formats }: TrialModel): string[] =>
      contestsOf(config, { formats, sequences: 2, kv }, gpu).contests.map(({ key }) => key);
    expect(
      keys(mixed)
        .filter((key) => !keys(common).includes(key))
        .sort(),
    ).toEqual([
      'matmul few f16 128x64',
      'matmul few int8-g32-zp 344x64',
      'matmul many f16 128x64',
      'matmul many int8-g32-zp 344x64',
    ]);
    expect(keys(common).filter((key) => !keys(mixed).includes(key))).toEqual([]);
    await gpu.dispose();
  });

  it.each<Partial<TrialModel>>([
    { dtype: 'f16', kv: 'f16' },
    { dtype: 'int4-g32-zp', kv: 'f32', distinct: distinctLayers(4, MIXED) },
    { config: WINDOWED },
    { config: tinyConfig({ model_type: 'qwen3' }) },
  ])('finds nothing wrong where nothing is: %#', async (own) => {
    const gpu = await openGpu(adapter);
    const before = gpu.allocatedBytes;
    expect(await checkDefaults(gpu, model(own))).toEqual([]);
    expect(gpu.allocatedBytes).toBe(before);
    await gpu.dispose();
  });
});

describe('a launch that does more than a product', () => {
  it('is left out where it is wrong although the product alone is right', async () => {
    const change = {
      file: 'matmul/matmul_lanes.wgsl',
      from: 'squares$m$ += raw$m$_$h$ * raw$m$_$h$',
      to: 'squares$m$ += 1.0',
    };
    const gpu = await openGpu(adapters[0], change);
    const findings = await checkDefaults(gpu, model());
    expect(findings.length).toBeGreaterThan(0);
    for (const finding of findings) {
      expect(finding).toMatchObject({ why: 'wrong results' });
      expect('kernel' in finding && finding.kernel).toMatch(/^matmul_lanes\(/);
    }
    // What takes their place is right, and is what an engine would take.
    expect(await checkDefaults(gpu, model())).toEqual([]);
    await gpu.dispose();
  });

  it.each([
    [{ file: 'common/rotate.wgsl', from: '- v.y * a.y', to: '+ v.y * a.y' }, /with norm, rotation and cache: queries/],
    [{ file: 'common/file.wgsl', from: 'values[to] = pack(v)', to: 'values[to] = pack(2.0 * v)' }, /cache: values/],
    [WANTED, /rows that want logits/],
    [{ file: 'matmul/matmul.wgsl', from: 'exp(-', to: 'exp(' }, /with norm and gate/],
    [{ file: 'matmul/matmul.wgsl', from: '+ constant_pair', to: '- constant_pair' }, /cache: queries/, WINDOWED],
  ] as const)('is an error that names it where all are: %#', async (change, reason, config = model().config) => {
    const gpu = await openGpu(adapters[0], change);
    gpu.withhold({ excluded: ['matmul_vec.wgsl', 'matmul_skinny.wgsl'] });
    const checked = checkDefaults(gpu, model({ config }));
    await expect(checked).rejects.toThrow(/^kernel matmul_lanes.* computes wrong numbers/);
    await expect(checked).rejects.toThrow(reason);
    await gpu.dispose();
  });
});
