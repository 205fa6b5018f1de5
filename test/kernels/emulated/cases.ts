import type { HeadShape } from '../../../src/kernels/attention/shape.js';
import { matrixAttentionVariants } from '../../../src/kernels/attention/matrix.js';
import type { KvStored } from '../../../src/kernels/attention/shape.js';
import type { Gpu } from '../../../src/gpu/gpu.js';
import { expect } from 'vitest';
import { relativeError } from '../../reference/compare.js';
import { runPrefill } from '../../support/attention.js';
import { freeingAll } from '../../support/buffers.js';
import type { ManyCase } from '../../support/matmul-many.js';
import { PREFILL_STEPS, type Chunk } from '../attention/cases.js';

/** Ragged tiles, rows of decoding sequences before them, tiles without edges, and gates. */
export const EMULATED_PRODUCTS: readonly ManyCase[] = [
  { epilogue: 'store', decodeRows: 0, n: 96, k: 64, rows: 133 },
  { epilogue: 'residual', decodeRows: 3, n: 128, k: 96, rows: 131 },
  { epilogue: 'residual', decodeRows: 0, n: 256, k: 64, rows: 256 },
  { epilogue: 'silu', decodeRows: 0, n: 64, k: 32, rows: 70 },
];

/** Queries and weights are rounded to f16, as attention-matrix.test.ts says. */
const TOLERANCE = 1e-3;

const STEPS: readonly (readonly Chunk[])[] = [
  ...PREFILL_STEPS,
  [
    { context: 31, newTokens: 2 },
    { context: 100, newTokens: 70 },
  ],
];

/** Whether the attention of a configuration of matrices makes what float64 makes. */
export async function checkAttention(gpu: Gpu, matrix: string, shape: HeadShape, kv: KvStored): Promise<void> {
  const variants = matrixAttentionVariants(shape, kv, gpu.capabilities).filter(({ name }) => name === matrix);
  expect(variants).toHaveLength(1);
  for (const chunks of STEPS) {
    const { out, expected, touched } = await freeingAll(gpu, () => runPrefill(gpu, shape, kv, chunks, variants[0]));
    const what = `${matrix}, ${JSON.stringify(shape)}, ${JSON.stringify(chunks)}`;
    expect(relativeError(out, expected), what).toBeLessThan(TOLERANCE);
    expect(touched, what).toBe(0);
  }
}
