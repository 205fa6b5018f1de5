import { beforeAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../../../src/gpu/gpu.js';
import { MatmulKernel, sizedTo, type Epilogue, type MatmulVariant } from '../../../src/kernels/matmul/kernel.js';
import { skinnyVariants } from '../../../src/kernels/matmul/skinny.js';
import { TOLERANCE } from '../../../src/kernels/variant.js';
import { paddedColumns, type StoredDtype } from '../../../src/kernels/weights.js';
import { random, relativeError } from '../../reference/compare.js';
import * as reference from '../../reference/ops.js';
import { adapters, testGpu } from '../../support/adapters.js';
import { freeingAll, poisoned, readFloats, storageOf, strided, submit, unstrided } from '../../support/buffers.js';
import { matmulData, runMatmul } from '../../support/matmul.js';
import { emulatedGpu, emulatingAdapters } from '../../support/nvidia.js';
import { NVIDIA_MATRICES } from '../../support/nvidia-matrices.js';
import { stepUniform } from '../../support/step.js';
import { rounded, weightMatrix } from '../../support/weights.js';
import { checkFiledHeads, checkWantedRows, POSITIONS, type FiledCase } from '../../support/matmul-fused.js';
import type { MatmulCase } from './cases.js';

const DTYPES: readonly StoredDtype[] = ['f16', 'int8-g64-zp', 'int4-g32'];
const ROWS = [1, 7, 16, 17, 32, 35];

/** Less than a stage, parts of one, several stages, outputs that fill no tile, parts of a matrix. */
const CASES: readonly { epilogue: Epilogue; test: MatmulCase }[] = [
  { epilogue: 'store', test: { n: 6, k: 8 } },
  { epilogue: 'residual', test: { n: 105, k: 288 } },
  { epilogue: 'silu', test: { n: 172, k: 416, partRows: 62 } },
];

/** Drivers are slow to compile these: the widest have no index that narrower ones have not, and quants none of their own. */
const tried = (gpu: Gpu, dtype: StoredDtype): MatmulVariant[] =>
  skinnyVariants({ dtype, lanes: 1 }, gpu.capabilities)
    .filter(({ name }) => (dtype === 'f16' ? /-(16x32|16x16-long|32x32)$/ : /-(16x16|32x16)$/).test(name))
    // Stages ahead of each other in one of them.
    .map((each, i) => ({ ...each, defines: { ...each.defines, DEPTH: i === 0 ? 2 : 1 } }));

/** A GPU's matrices emulated, and those of 8x8x8 where a driver has them. */
const able = (await emulatingAdapters()).slice(0, 1);
const shapes = ['16x16x16', '16x8x16'];
/** `isFirst`: what does not depend on the shape of the matrices is looked at there alone. */
const machines: { what: string; isFirst: boolean; open: () => Promise<Gpu> }[] = [
  ...able.flatMap((name) =>
    shapes.map((shape, i) => ({
      what: `${shape} in f32, emulated on ${name}`,
      isFirst: i === 0,
      open: () =>
        emulatedGpu(
          name,
          NVIDIA_MATRICES.filter(
            ({ M, N, K, resultComponentType }) => resultComponentType === 'f32' && `${M}x${N}x${K}` === shape,
          ),
        ),
    })),
  ),
];
for (const name of adapters) {
  const { capabilities } = await testGpu(name);
  if (skinnyVariants({ dtype: 'f16', lanes: 1 }, capabilities).length > 0) {
    machines.push({ what: `its own matrices on ${name}`, isFirst: true, open: () => testGpu(name) });
  }
}

const NONE = {
  what: 'skipped: no adapter has matrices, nor f16 to emulate them',
  isFirst: true,
  open: () => testGpu(adapters[0]),
};
const tested = machines.length > 0 ? machines : [NONE];
describe.skipIf(machines.length === 0).each(tested)('products for few rows on matrices, $what', ({ isFirst, open }) => {
  let gpu: Gpu;
  beforeAll(async () => void (gpu = await open()));

  // One: drivers of CPUs compile these for half a minute each.
  const few = (dtype: StoredDtype) => tried(gpu, dtype).slice(0, 1);
  it.each(DTYPES)('of %s match float64, and all have the same bits', async (dtype) => {
    const variants = tried(gpu, dtype);
    expect(variants.length).toBeGreaterThan(1);
    for (const { epilogue, test } of dtype === 'f16' && isFirst ? CASES : CASES.slice(-1)) {
      const data = matmulData(test, ROWS.at(-1)!, dtype);
      let longest = new Float64Array(0);
      for (const each of test === CASES.at(-1)!.test ? variants : variants.slice(0, 1)) {
        // Compiled for a width where that is short: drivers of CPUs unroll what they can count.
        const width = { stride: paddedColumns(test.k) };
        const variant = test.k < 100 ? sizedTo(each, width, { ...gpu.capabilities, isCpu: false }) : each;
        await freeingAll(gpu, async () => {
          for (const result of await runMatmul(gpu, variant, epilogue, dtype, test, data, ROWS, 1)) {
            const what = `${variant.name}, ${epilogue}, ${result.rows} rows, ${JSON.stringify(test)}`;
            expect(relativeError(result.out, result.expected), what).toBeLessThan(variant.tolerance!);
            expect(result.touched, `${what}: words touched outside the result`).toBe(0);
            const common = Math.min(longest.length, result.out.length);
            const differs = longest.subarray(0, common).findIndex((value, i) => value !== result.out[i]);
            expect(differs, `${what}: bits`).toBe(-1);
            if (result.out.length > longest.length) longest = Float64Array.from(result.out);
          }
        });
      }
    }
  });

  it.runIf(isFirst)('normalise their input as float64 does, whoever is beside a row', async () => {
    const [n, k, most, eps] = [96, 232, 33, 1e-2];
    const rng = random(n + k);
    const x = rounded(
      rng.normal(most * k).map((value, i) => value * (1 + Math.floor(i / k))),
      'f32',
    );
    const gamma = rounded(
      rng.normal(k).map((value) => 1 + value / 4),
      'f32',
    );
    const w = rounded(rng.normal(n * k, 1 / Math.sqrt(k)), 'f16');
    const expected = reference.matmul(reference.rmsNorm(x, gamma, eps), w, most, n, k);
    const stride = paddedColumns(k);
    for (const variant of few('int4-g32')) {
      let first: Float64Array | undefined;
      for (const rows of [most, 1, 17]) {
        await freeingAll(gpu, async () => {
          const out = poisoned(gpu, 'out', rows * n);
          const kernel = await MatmulKernel.create(gpu, {
            ...{ operation: 'fused', epilogue: 'store', rows: 'tokens', maxDecodeRows: 1, prefill: false },
            weights: weightMatrix(gpu, w, k, 'f16', undefined, 1),
            step: stepUniform(gpu, { tokens: rows, decodeRows: rows }),
            ...{ x: out, xStride: stride, out, outStride: n },
            fusion: {
              norm: {
                x: storageOf(gpu, 'x', strided(x.subarray(0, rows * k), k, stride)),
                gamma: storageOf(gpu, 'gamma', strided(gamma, k, stride)),
                eps,
              },
            },
            choice: { decode: [{ rows: 1, variant: variant.name }], prefill: [{ rows: 1, variant: 'tiled' }] },
          });
          submit(gpu, (pass) => kernel.record(pass, rows, 0));
          const found = unstrided(await readFloats(gpu, out), rows, n, n);
          const what = `${variant.name}, ${rows} rows`;
          expect(relativeError(found, expected.subarray(0, rows * n)), what).toBeLessThan(TOLERANCE.f32);
          first ??= found;
          expect(found, what).toEqual(first.subarray(0, rows * n));
        });
      }
    }
  });

  const subject = (variant: MatmulVariant) => ({
    ...{ name: variant.name, lanes: 1, prefill: 'tiled', tolerance: variant.tolerance! },
  });

  it.runIf(isFirst)('take the rows whose logits are wanted, as float64 does', async () => {
    const lists = [[7], [0, 11, 5, 6, 10, 1, 9, 3, 4], Array.from({ length: 19 }, (_, i) => (i * 7) % 19)];
    for (const dtype of ['f16', 'int4-g32'] as const) {
      for (const variant of few(dtype)) await checkWantedRows(gpu, subject(variant), dtype, lists);
    }
  });

  it.runIf(isFirst)('rotate and file queries, keys and values, as float64 does', async () => {
    // Rows of the last workgroup are not there, nor are outputs of the last tile.
    const test: FiledCase = { shape: { heads: 6, kvHeads: 3, headDim: 6 }, k: 36, kv: 'f16' };
    for (const variant of few('f16')) await checkFiledHeads(gpu, subject(variant), 'f16', test, [1, POSITIONS.length]);
  });
});
