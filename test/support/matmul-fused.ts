import { expect } from 'vitest';
import type { Gpu } from '../../src/gpu/gpu.js';
import { paddedHeadDim, type HeadShape } from '../../src/kernels/attention/shape.js';
import type { FiledHeads } from '../../src/kernels/matmul/fusion.js';
import { MatmulKernel } from '../../src/kernels/matmul/kernel.js';
import { paddedColumns, type StoredDtype } from '../../src/kernels/weights.js';
import { parseConfig } from '../../src/model/config.js';
import { ropeTable } from '../../src/model/rope-table.js';
import { random, relativeError } from '../reference/compare.js';
import * as reference from '../reference/ops.js';
import {
  freeingAll,
  poisoned,
  readFloats,
  readWords,
  storageOf,
  strided,
  submit,
  touchedOutside,
  unstrided,
} from './buffers.js';
import { cachedRow, cacheOf, pairedHeads, scattered, type Placement } from './paged.js';
import { rowsBuffer, stepUniform } from './step.js';
import { rounded, storedWeights, weightMatrix } from './weights.js';

/** Of the norm; large enough to count. */
export const EPS = 1e-2;
/** f16 storage rounds to 11 bits. */
const CACHE_TOLERANCE = { f32: 0, f16: 5e-4 };
/** Where the rows of a step are. */
export const POSITIONS = [0, 1, 15, 16, 17, 31, 47, 100, 1000];

/** A variant for few rows by name, with the layout of its weights and one for many rows that is not used. */
export interface FusedSubject {
  readonly name: string;
  readonly lanes: number;
  readonly prefill: string;
  /** Relative errors may come to this. */
  readonly tolerance: number;
}

/** Inputs before their norm, its scales, weights, and the normalised product in float64. */
export function fusedData(rows: number, n: number, k: number, dtype: StoredDtype) {
  const rng = random(n * 100 + k);
  const x = rounded(
    rng.normal(rows * k).map((value, i) => value * (1 + Math.floor(i / k))),
    'f32',
  );
  const gamma = rounded(
    rng.normal(k).map((value) => 1 + value / 4),
    'f32',
  );
  const w = rng.normal(n * k, 1 / Math.sqrt(k));
  const normed = reference.rmsNorm(x, gamma, EPS);
  return { x, gamma, w, normed, product: reference.matmul(normed, storedWeights(w, k, dtype), rows, n, k) };
}

/** A projection of queries, keys and values. */
export interface FiledCase {
  readonly shape: HeadShape;
  readonly k: number;
  readonly kv: 'f16' | 'f32';
  readonly partRows?: number;
}

/**
 * Normalises, multiplies and takes the rows of a list, as the head does, and compares with float64.
 *
 * @returns the largest relative error
 */
export async function checkWantedRows(
  gpu: Gpu,
  { name, lanes, prefill, tolerance }: FusedSubject,
  dtype: StoredDtype,
  lists: readonly (readonly number[])[] = [[7], [8, 2, 3], [0, 11, 5, 6, 10, 1, 9, 3, 4]],
): Promise<number> {
  const [n, k, partRows] = [131, 105, 62];
  const [stride, outStride] = [paddedColumns(k), paddedColumns(n)];
  const most = 1 + Math.max(...lists.flat());
  const { x, gamma, w, product } = fusedData(most, n, k, dtype);
  let worst = 0;
  for (const wanted of lists) {
    const rows = wanted.length;
    await freeingAll(gpu, async () => {
      const out = poisoned(gpu, 'out', (rows + 1) * outStride);
      const kernel = await MatmulKernel.create(gpu, {
        ...{ operation: 'head', epilogue: 'store', rows: 'logits', maxDecodeRows: 1, prefill: false },
        weights: weightMatrix(gpu, w, k, dtype, partRows, lanes),
        step: stepUniform(gpu, { tokens: most, decodeRows: 1, logitRows: rows }),
        ...{ x: out, xStride: stride, out, outStride },
        fusion: {
          norm: {
            x: storageOf(gpu, 'x', strided(x, k, stride)),
            gamma: storageOf(gpu, 'gamma', strided(gamma, k, stride)),
            eps: EPS,
            rows: storageOf(gpu, 'wanted', Uint32Array.from(wanted)),
          },
        },
        choice: { decode: [{ rows: 1, variant: name }], prefill: [{ rows: 1, variant: prefill }] },
      });
      submit(gpu, (pass) => kernel.record(pass, rows, 0));
      const words = await readFloats(gpu, out);
      const what = `${name}, ${lanes} rows side by side, rows ${wanted.join(', ')}`;
      const expected = Float64Array.from(wanted.flatMap((row) => [...product.subarray(row * n, (row + 1) * n)]));
      const error = relativeError(unstrided(words, rows, n, outStride), expected);
      worst = Math.max(worst, error);
      expect(error, what).toBeLessThan(tolerance);
      expect(touchedOutside(new Uint32Array(words.buffer), rows, n, outStride), what).toBe(0);
    });
  }
  return worst;
}

/**
 * Normalises, multiplies, rotates and files queries, keys and values, and compares with float64.
 *
 * @returns the largest relative error of the queries
 */
export async function checkFiledHeads(
  gpu: Gpu,
  { name: variant, lanes, prefill, tolerance }: FusedSubject,
  dtype: StoredDtype,
  { shape, k, kv, partRows }: FiledCase,
  counts: readonly number[] = [1, 2, POSITIONS.length],
): Promise<number> {
  const { heads, kvHeads, headDim } = shape;
  const [n, most] = [(heads + 2 * kvHeads) * headDim, POSITIONS.length];
  const config = parseConfig({
    ...{ hidden_size: k, num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim },
    ...{ intermediate_size: 8, num_hidden_layers: 1, vocab_size: 8 },
  });
  const { x, gamma, w, product } = fusedData(most, n, k, dtype);
  const turned = (heads + kvHeads) * headDim;
  const part = (begin: number, end: number): Float64Array => product.filter((_, at) => at % n >= begin && at % n < end);
  const rotate = (values: Float64Array): Float64Array =>
    pairedHeads(reference.rope(values, POSITIONS, reference.ropeFrequencies(config)), headDim);
  const expected = {
    queries: rotate(part(0, heads * headDim)),
    keys: rotate(part(heads * headDim, turned)),
    values: part(turned, n),
  };
  // Rows of the weights of queries and keys in pairs, as they are put at load.
  const order = pairedHeads(
    Float64Array.from({ length: n }, (_, row) => row),
    headDim,
  ).map((row, at) => (at < turned ? row : at));
  const paired = Float64Array.from(w, (_, at) => w[order[Math.floor(at / k)] * k + (at % k)]);
  const placement: Placement = scattered([POSITIONS.at(-1)! + 1]);
  const [stride, padded] = [paddedColumns(k), paddedHeadDim(headDim)];
  let worst = 0;
  for (const rows of counts) {
    await freeingAll(gpu, async () => {
      const queries = poisoned(gpu, 'queries', (rows + 1) * heads * padded);
      const filed: FiledHeads = {
        ...{ shape, kv, queries },
        rows: rowsBuffer(
          gpu,
          POSITIONS.map((position) => ({ position, kvIndex: placement.kvIndex(0, position) })),
        ),
        angles: storageOf(gpu, 'angles', ropeTable(config, POSITIONS.at(-1)! + 1)),
        keys: cacheOf(gpu, shape, kv, placement, []),
        values: cacheOf(gpu, shape, kv, placement, []),
      };
      const out = poisoned(gpu, 'out', 64);
      const kernel = await MatmulKernel.create(gpu, {
        ...{ operation: 'fused', epilogue: 'store', rows: 'tokens', maxDecodeRows: 1, prefill: false },
        weights: weightMatrix(gpu, paired, k, dtype, partRows, lanes),
        step: stepUniform(gpu, { tokens: rows, decodeRows: rows }),
        ...{ x: out, xStride: stride, out, outStride: paddedColumns(n) },
        fusion: {
          norm: {
            x: storageOf(gpu, 'x', strided(x, k, stride)),
            gamma: storageOf(gpu, 'gamma', strided(gamma, k, stride)),
            eps: EPS,
          },
          heads: filed,
        },
        choice: { decode: [{ rows: 1, variant }], prefill: [{ rows: 1, variant: prefill }] },
      });
      submit(gpu, (pass) => kernel.record(pass, rows, 0));

      const what = `${variant}, ${lanes} rows side by side, ${rows} rows`;
      const written = (await readFloats(gpu, queries)).filter(
        (_, at) => at < rows * heads * padded && at % padded < headDim,
      );
      const error = relativeError(Float64Array.from(written), expected.queries.subarray(0, rows * heads * headDim));
      worst = Math.max(worst, error);
      expect(error, `${what}: queries`).toBeLessThan(tolerance);
      const after = (await readWords(gpu, queries)).subarray(rows * heads * padded);
      expect(new Set(after).size, `${what}: queries beyond`).toBe(1);
      for (const [name, buffer] of [
        ['keys', filed.keys],
        ['values', filed.values],
      ] as const) {
        const bytes = await gpu.read(buffer);
        const found = POSITIONS.slice(0, rows).flatMap((position) => [
          ...cachedRow(bytes, shape, kv, placement.kvIndex(0, position)).filter((_, at) => at % padded < headDim),
        ]);
        const wanted = expected[name].subarray(0, rows * kvHeads * headDim);
        expect(relativeError(Float64Array.from(found), wanted), `${what}: ${name}`).toBeLessThan(
          Math.max(tolerance, CACHE_TOLERANCE[kv]),
        );
      }
    });
  }
  return worst;
}
