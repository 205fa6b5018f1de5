import { describe, expect, it } from 'vitest';
import { matrixVariants } from '../../../src/kernels/matmul/matrix.js';
import { emulateMatrices } from '../../support/emulated-matrices.js';
import { checkMany } from '../../support/matmul-many.js';
import { emulatedGpu, emulatingAdapters } from '../../support/nvidia.js';
import { EMULATED_PRODUCTS } from './cases.js';

const able = await emulatingAdapters();

describe.skipIf(able.length === 0)('matrices of 32 lanes, emulated where an adapter has f16', () => {
  it.each(able)('multiply as float64 does on %s', async (adapter) => {
    const gpu = await emulatedGpu(adapter);
    const variants = matrixVariants({ dtype: 'f16', lanes: 1 }, gpu.capabilities, 'f16');
    const tested = variants.filter(({ name }) => ['matrix16x16x16-64x64', 'matrix16x16x16-128x64-8'].includes(name));
    expect(tested).toHaveLength(2);
    for (const test of EMULATED_PRODUCTS) await checkMany(gpu, tested, test);
  });
});

describe('the emulation of matrices', () => {
  it('leaves shaders without matrices alone', () => {
    expect(emulateMatrices('enable f16;\nfn main() {}', 32)).toBe('enable f16;\nfn main() {}');
  });

  it('refuses what it does not know', () => {
    const head = [
      'enable chromium_experimental_subgroup_matrix;',
      'alias Left = subgroup_matrix_left<f16, 16, 16>;',
      'alias Right = subgroup_matrix_right<f16, 16, 16>;',
      'alias Sum = subgroup_matrix_result<f32, 16, 16>;',
    ].join('\n');
    const entry = 'fn main(@builtin(local_invocation_index) i: u32) {';
    expect(() => emulateMatrices(`${head}\n${entry} let s = subgroupMatrixScalarAdd(Sum(), 1.0); }`, 32)).toThrow(
      'subgroupMatrixScalarAdd is not emulated',
    );
    expect(() =>
      emulateMatrices(`${head}\n${entry} let s = subgroupMatrixLoad<Sum, row_major>(&nowhere, 0u, 16u); }`, 32),
    ).toThrow('nowhere is not an array');
    expect(() => emulateMatrices(`${head}\nfn other() {}`, 32)).toThrow('no main');
  });
});
