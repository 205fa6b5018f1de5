import { describe, expect, it } from 'vitest';
import { readCapabilities, tierOf, wantedFeatures } from '../../src/gpu/capabilities.js';
import { MASK_WORDS, masked, parseMasks } from '../../src/gpu/masks.js';
import { runsOn, selectVariant, type Variant } from '../../src/kernels/variant.js';
import { defaultMatmulChoice, runnableMatmuls } from '../../src/kernels/matmul/choice.js';
import { matmulVariants } from '../../src/kernels/matmul/kernel.js';
import { NVIDIA_MATRICES } from '../support/nvidia-matrices.js';

const FEATURES = ['shader-f16', 'subgroups', 'subgroup-size-control', 'timestamp-query'];
const MATRIX = 'chromium-experimental-subgroup-matrix';

/** An adapter that has everything. */
const adapter = {
  features: new Set([...FEATURES, MATRIX]),
  limits: { maxComputeWorkgroupStorageSize: 49152, maxComputeInvocationsPerWorkgroup: 1024, maxImmediateSize: 64 },
  info: {
    device: 'H200',
    description: '',
    subgroupMinSize: 32,
    subgroupMaxSize: 32,
    subgroupMatrixConfigs: NVIDIA_MATRICES,
  },
} as unknown as GPUAdapter;
const language = new Set(['subgroup_id', 'immediate_address_space', 'packed_4x8_integer_dot_product']);
const all = readCapabilities(adapter, language);

describe('masks', () => {
  it('take away what they say and what stands on it, in one place', () => {
    const without = (text: string) => readCapabilities(adapter, language, { disabled: parseMasks(text, 'it') });
    expect(tierOf(all)).toBe('tensor');
    expect(all).toMatchObject({ disabled: [], excluded: [], f16: true, packedDot: true, immediateBytes: 64 });
    expect(without('subgroup-matrix')).toEqual({ ...all, subgroupMatrixConfigs: [], disabled: ['subgroup-matrix'] });
    expect(without('f16,timestamps')).toEqual({
      ...all,
      f16: false,
      timestamps: false,
      disabled: ['f16', 'timestamps'],
    });
    expect(without('subgroups')).toMatchObject({
      ...{ subgroups: false, subgroupId: false, subgroupMinSize: 0, subgroupMaxSize: 0, subgroupSizeControl: false },
      subgroupMatrixConfigs: [],
    });
    const none = without(MASK_WORDS.join(','));
    expect(tierOf(none)).toBe('portable');
    expect(none).toMatchObject({ packedDot: false, immediateBytes: 0, disabled: MASK_WORDS });
  });

  it('add up, whoever asks for them', () => {
    const once = masked(all, ['f16']);
    expect(masked(once, ['subgroup-id'])).toMatchObject({ f16: false, subgroupId: false, subgroups: true });
    expect(masked(once, ['subgroup-id']).disabled).toEqual(['f16', 'subgroup-id']);
  });

  it('leave a device without the features', () => {
    expect(wantedFeatures(adapter)).toEqual(expect.arrayContaining([...FEATURES, MATRIX]));
    expect(wantedFeatures(adapter, { disabled: ['subgroups'] })).toEqual(['shader-f16', 'timestamp-query']);
    expect(wantedFeatures(adapter, { disabled: ['subgroup-matrix', 'f16'] })).toEqual(FEATURES.slice(1));
  });

  it('are read as people write them, and refuse words that are none', () => {
    expect(parseMasks('', 'X')).toEqual([]);
    expect(parseMasks(' F16 ,, subgroups,f16', 'X')).toEqual(['f16', 'subgroups']);
    expect(() => parseMasks('f16,tensor', 'RIDGEPOINT_DISABLE')).toThrow(
      /RIDGEPOINT_DISABLE: "tensor" is no capability; take some of subgroup-matrix, f16, subgroups/,
    );
  });
});

describe('kernels left out', () => {
  const variant = (name: string, shader: string): Variant => ({
    ...{ name, shader, bindings: 'u', defines: { N: name.length }, needs: [] },
    runs: () => true,
  });
  const family = [variant('a', 'fast.wgsl'), variant('bb', 'fast.wgsl'), variant('c', 'plain.wgsl')];
  const chosen = (excluded: string[]) => selectVariant('it', family, { ...all, excluded }).name;

  it('are known by pipeline or by shader', () => {
    expect(chosen([])).toBe('a');
    expect(chosen(['fast(N=1)'])).toBe('bb');
    expect(chosen(['fast.wgsl'])).toBe('c');
    expect(runsOn(family[1], { ...all, excluded: ['fast(N=1)'] })).toBe(true);
    expect(() => chosen(['fast.wgsl', 'plain.wgsl'])).toThrow(/can run no variant of it/);
  });

  it('give way to the next in a matmul', () => {
    const variants = matmulVariants({ dtype: 'f16', lanes: 1 }, all);
    const usual = (excluded: string[]) =>
      defaultMatmulChoice(runnableMatmuls(variants, { ...all, excluded }), { n: 4096, k: 4096, sequences: 1 })
        .prefill[0].variant;
    expect(usual([])).toMatch(/^matrix/);
    expect(usual(['matmul_matrix.wgsl'])).not.toMatch(/^matrix/);
  });
});
