import { expect, it } from 'vitest';
import { allVariants, unrunLines, variantKey } from '../support/variants/census.js';

it('knows variants of every family, for GPUs with matrices and without, and for CPU drivers', () => {
  const all = [...allVariants()];
  const families = new Set(all.map((key) => key.split('/')[0]));
  expect([...families].sort()).toEqual(['attention', 'embed', 'matmul', 'norm', 'quantize', 'rope', 'sample']);
  expect(all).toContain('matmul/matmul_direct direct');
  expect(all).toContain('matmul/matmul_matrix matrix16x16x16-256x128-8');
  expect(all).toContain('attention/attention_lanes flash-lanes');
  expect(all.filter((key) => key.startsWith('attention/attention_matrix matrix')).length).toBeGreaterThan(1);
});

it('names what was left out of the families whose tests were run', () => {
  const key = (shader: string, name: string): string => variantKey({ shader, name });
  const all = new Set([
    key('norm/rms_norm.wgsl', 'tree'),
    key('norm/rms_norm.wgsl', 'subgroups'),
    'rope/rope_kv pairs',
  ]);
  const ran = new Set(['norm/rms_norm tree', 'norm/rms_norm invented', 'rope/rope_kv pairs']);
  expect(unrunLines(all, ran, new Set(['rope', 'norm', 'emulated']))).toEqual([
    'norm: no adapter ran 1 of 2 variants: subgroups',
    'rope: all 1 variants were run',
  ]);
  expect(unrunLines(all, ran, new Set())).toEqual([]);
});
