import { beforeAll, describe, expect, it } from 'vitest';
import type { Capabilities } from '../../src/gpu/capabilities.js';
import type { Gpu } from '../../src/gpu/gpu.js';
import { paddedHeadDim, type HeadShape } from '../../src/kernels/attention-shape.js';
import type { FiledHeads } from '../../src/kernels/fusion.js';
import { matmulVariants, MatmulKernel, type MatmulVariant } from '../../src/kernels/matmul.js';
import { laneRows, paddedColumns, type StoredDtype } from '../../src/kernels/weights.js';
import { parseLlamaConfig } from '../../src/model/config.js';
import { ropeTable } from '../../src/model/rope-table.js';
import { random, relativeError } from '../reference/compare.js';
import * as reference from '../reference/ops.js';
import { adapters, testGpu } from '../support/adapters.js';
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
} from '../support/buffers.js';
import { cachedRow, cacheOf, pairedHeads, scattered, type Placement } from '../support/paged.js';
import { chosen } from '../support/scale.js';
import { rowsBuffer, stepUniform } from '../support/step.js';
import { rounded, storedWeights, weightMatrix } from '../support/weights.js';
import { worstErrors } from '../support/worst.js';

/** As of a product, and a root more; f16 storage rounds to 11 bits. */
const TOLERANCE = 2e-6;
const CACHE_TOLERANCE = { f32: TOLERANCE, f16: 5e-4 };
const EPS = 1e-2; // large enough to count
const POSITIONS = [0, 1, 15, 16, 17, 31, 47, 100, 1000];
const ROWS = [1, 2, 3, 5, 9];
const worst = worstErrors();

/** Inputs before their norm, its scales, weights, and the normalised product in float64. */
function data(rows: number, n: number, k: number, dtype: StoredDtype) {
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

/** What is fused depends on quants nowhere but in how x is read, so a few variants try them: one of each kind. */
const triesQuants = ({ name, rowsPerGroup }: MatmulVariant, lanes: number, { subgroups }: Capabilities): boolean =>
  name.startsWith(lanes === 1 ? 'vec' : 'lanes') &&
  name.endsWith('-tree') !== subgroups &&
  (rowsPerGroup === 1 || rowsPerGroup === 4);
const DTYPES: readonly StoredDtype[] = chosen(['f16', 'int8-g32', 'int4-g64-zp'], (dtype) => dtype !== 'int8-g32');
const cases = adapters.flatMap((adapter) => DTYPES.map((dtype) => ({ adapter, dtype })));

describe.each(cases)('products of $dtype that normalise their input on $adapter', ({ adapter, dtype }) => {
  let gpu: Gpu;
  beforeAll(async () => void (gpu = await testGpu(adapter)));

  /** Both layouts, whichever the adapter is given. */
  const variants = (): { variant: MatmulVariant; lanes: number }[] =>
    [...new Set([1, laneRows(gpu.capabilities)])].flatMap((lanes) =>
      matmulVariants({ dtype, lanes }, gpu.capabilities)
        .few.filter((variant) => variant.runs(gpu.capabilities))
        // Wide trees take a CPU driver half a minute to compile, and differ from narrow ones in a loop's length only.
        .filter(({ name, rowsPerGroup }) => !name.endsWith('-tree') || rowsPerGroup <= 2)
        // Those on matrices compile for minutes there, and are tested in matmul-skinny.full.test.ts.
        .filter(({ name }) => !name.startsWith('skinny'))
        .filter((variant) => dtype === 'f16' || triesQuants(variant, lanes, gpu.capabilities))
        .map((variant) => ({ variant, lanes })),
    );
  const many = (lanes: number): string =>
    matmulVariants({ dtype, lanes }, gpu.capabilities).many.find((each) => each.runs(gpu.capabilities))!.name;

  it.each([
    { n: 6, k: 8 },
    { n: 130, k: 105 },
    { n: 172, k: 704, partRows: 62 },
  ])('and gate their output match float64, %j', async ({ n, k, partRows }) => {
    const { x, gamma, w, normed, product } = data(ROWS.at(-1)!, n, k, dtype);
    const half = (phase: number): Float64Array => product.filter((_, i) => (i % n) % 2 === phase);
    const expected = reference.siluGate(half(0), half(1));
    const [width, stride, outStride] = [n / 2, paddedColumns(k), paddedColumns(n / 2) + 32];
    expect(variants().length).toBeGreaterThan(0);
    for (const { variant, lanes } of variants()) {
      for (const rows of ROWS) {
        // The last two rows, where there are as many, are a prompt's: normalised already, by kernels for many rows.
        const decode = rows > 2 ? rows - 2 : rows;
        await freeingAll(gpu, async () => {
          const out = poisoned(gpu, 'out', (rows + 1) * outStride);
          const kernel = await MatmulKernel.create(gpu, {
            ...{ operation: 'fused', epilogue: 'silu', rows: 'tokens', maxDecodeRows: 1, prefill: true },
            weights: weightMatrix(gpu, w, k, dtype, partRows, lanes),
            step: stepUniform(gpu, { tokens: rows, decodeRows: decode }),
            x: storageOf(gpu, 'normed', strided(normed, k, stride)),
            xStride: stride,
            ...{ out, outStride },
            fusion: {
              norm: {
                x: storageOf(gpu, 'x', strided(x, k, stride)),
                gamma: storageOf(gpu, 'gamma', strided(gamma, k, stride)),
                eps: EPS,
              },
            },
            choice: { few: [{ rows: 1, variant: variant.name }], many: [{ rows: 1, variant: many(lanes) }] },
          });
          submit(gpu, (pass) => kernel.record(pass, decode, rows - decode));
          const words = await readFloats(gpu, out);
          const what = `${variant.name}, ${lanes} rows side by side, ${rows} rows`;
          const error = relativeError(unstrided(words, rows, width, outStride), expected.subarray(0, rows * width));
          worst(`${adapter} ${variant.name}+norm ${dtype}`, error);
          expect(error, what).toBeLessThan(TOLERANCE);
          expect(touchedOutside(new Uint32Array(words.buffer), rows, width, outStride), what).toBe(0);
        });
      }
    }
  });

  it('and take the rows whose logits are wanted match float64', async () => {
    const [n, k, partRows] = [131, 105, 62];
    const [stride, outStride] = [paddedColumns(k), paddedColumns(n)];
    const most = 12;
    const { x, gamma, w, product } = data(most, n, k, dtype);
    // Where a row is read from depends on nothing else: the narrow ones, which compile quickly.
    const tried = variants().filter(({ variant: { rowsPerGroup } }) => rowsPerGroup <= (dtype === 'f16' ? 2 : 1));
    expect(tried.length).toBeGreaterThan(0);
    for (const { variant, lanes } of tried) {
      for (const wanted of [[7], [8, 2, 3], [0, 11, 5, 6, 10, 1, 9, 3, 4]]) {
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
            choice: { few: [{ rows: 1, variant: variant.name }], many: [{ rows: 1, variant: many(lanes) }] },
          });
          submit(gpu, (pass) => kernel.record(pass, rows, 0));
          const words = await readFloats(gpu, out);
          const what = `${variant.name}, ${lanes} rows side by side, rows ${wanted.join(', ')}`;
          const expected = Float64Array.from(wanted.flatMap((row) => [...product.subarray(row * n, (row + 1) * n)]));
          const error = relativeError(unstrided(words, rows, n, outStride), expected);
          worst(`${adapter} ${variant.name}+norm+wanted ${dtype}`, error);
          expect(error, what).toBeLessThan(TOLERANCE);
          expect(touchedOutside(new Uint32Array(words.buffer), rows, n, outStride), what).toBe(0);
        });
      }
    }
  });

  const shapes: { shape: HeadShape; k: number; kv: 'f16' | 'f32'; partRows?: number }[] = [
    { shape: { heads: 2, kvHeads: 1, headDim: 80 }, k: 105, kv: 'f32' },
    { shape: { heads: 6, kvHeads: 3, headDim: 6 }, k: 36, kv: 'f16' },
    { shape: { heads: 4, kvHeads: 2, headDim: 64 }, k: 256, kv: 'f16', partRows: 128 },
  ];
  it.each(chosen(shapes, ({ shape }) => shape.headDim !== 80).slice(dtype === 'f16' ? 0 : -1))(
    'and file queries, keys and values match float64, %j',
    async ({ shape, k, kv, partRows }) => {
      const { heads, kvHeads, headDim } = shape;
      const [n, most] = [(heads + 2 * kvHeads) * headDim, POSITIONS.length];
      const config = parseLlamaConfig({
        ...{ hidden_size: k, num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim },
        ...{ intermediate_size: 8, num_hidden_layers: 1, vocab_size: 8 },
      });
      const { x, gamma, w, product } = data(most, n, k, dtype);
      const turned = (heads + kvHeads) * headDim;
      const part = (begin: number, end: number): Float64Array =>
        product.filter((_, at) => at % n >= begin && at % n < end);
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
      // The widest take long to compile, and how many rows they make does not depend on the heads.
      const tried = variants().filter(({ variant: { rowsPerGroup } }) =>
        dtype === 'f16' ? headDim === 64 || rowsPerGroup === 2 : rowsPerGroup === 1,
      );
      expect(tried.length).toBeGreaterThan(0);
      for (const { variant, lanes } of tried) {
        for (const rows of [1, 2, most]) {
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
              choice: { few: [{ rows: 1, variant: variant.name }], many: [{ rows: 1, variant: many(lanes) }] },
            });
            submit(gpu, (pass) => kernel.record(pass, rows, 0));

            const what = `${variant.name}, ${lanes} rows side by side, ${rows} rows`;
            const written = (await readFloats(gpu, queries)).filter(
              (_, at) => at < rows * heads * padded && at % padded < headDim,
            );
            const error = relativeError(
              Float64Array.from(written),
              expected.queries.subarray(0, rows * heads * headDim),
            );
            worst(`${adapter} ${variant.name}+norm+rope ${dtype}`, error);
            expect(error, `${what}: queries`).toBeLessThan(TOLERANCE);
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
                CACHE_TOLERANCE[kv],
              );
            }
          });
        }
      }
    },
  );
});
