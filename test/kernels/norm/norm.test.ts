import { beforeAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../../../src/gpu/gpu.js';
import { NormKernel, normVariants } from '../../../src/kernels/norm/kernel.js';
import { paddedColumns } from '../../../src/kernels/weights.js';
import { random, relativeError } from '../../reference/compare.js';
import * as reference from '../../reference/ops.js';
import { adapters, testGpu } from '../../support/adapters.js';
import { freeingAll, poisoned, readFloats, storageOf, strided, submit, unstrided } from '../../support/buffers.js';
import { fromHalves } from '../../support/matmul-many.js';
import { stepUniform } from '../../support/step.js';
import { rounded } from '../../support/weights.js';
import { worstErrors } from '../../support/worst.js';
import { NORM_CASES, type NormCase } from './cases.js';

const EPS = 1e-5;
const worst = worstErrors();

async function run(gpu: Gpu, variant: ReturnType<typeof normVariants>[number], test: NormCase, grow = 1) {
  const { width, rows, decodeRows = 0 } = test;
  const stride = paddedColumns(width);
  const rng = random(width);
  const x = rounded(rng.normal(rows * width, 3), 'f32');
  const gamma = rounded(rng.normal(width, grow), 'f32');
  const out = poisoned(gpu, 'out', (rows + 1) * stride);
  const kernel = await NormKernel.create(gpu, {
    operation: 'norm',
    step: stepUniform(gpu, { tokens: rows, decodeRows }),
    x: storageOf(gpu, 'x', strided(x, width, stride), stride * 4),
    gamma: storageOf(gpu, 'gamma', strided(gamma, width, stride)),
    out,
    width,
    stride,
    eps: EPS,
    variant,
  });
  submit(gpu, (pass) => kernel.record(pass, rows - decodeRows));
  const expected = reference.rmsNorm(x, gamma, EPS).subarray(decodeRows * width);
  return { words: await readFloats(gpu, out), expected, stride };
}

describe.each(adapters)('rmsNorm on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => void (gpu = await testGpu(adapter)));

  it.each(NORM_CASES)('matches float64, %j', async (test) => {
    // Those for GPUs too.
    const variants = [true, false].flatMap((isCpu) => normVariants({ ...gpu.capabilities, isCpu }));
    for (const variant of variants.filter((candidate) => candidate.runs(gpu.capabilities))) {
      await freeingAll(gpu, async () => {
        const { width, rows, decodeRows = 0 } = test;
        const { words, expected, stride } = await run(gpu, variant, test);
        const error = relativeError(unstrided(words, rows, width, stride).subarray(decodeRows * width), expected);
        worst(`${adapter} norm ${variant.name}`, error);
        expect(error, variant.name).toBeLessThan(variant.tolerance!);
        // The next matmul reads whole vectors: the padding must be zero, and the row behind untouched.
        for (let row = decodeRows; row < rows; row++) {
          expect(words.subarray(row * stride + width, (row + 1) * stride).every((value) => value === 0)).toBe(true);
        }
        expect(words.subarray(0, decodeRows * stride).every(Number.isNaN), 'rows that decode').toBe(true);
        expect(words.subarray(rows * stride).every(Number.isNaN), 'row behind the last').toBe(true);
      });
    }
  });

  it('writes rows in f16, and their largest number in place of a larger one', async () => {
    const test = NORM_CASES.find(({ decodeRows, width }) => decodeRows === undefined && width > 8 && width % 2 === 0)!;
    for (const variant of normVariants(gpu.capabilities, true).filter((each) => each.runs(gpu.capabilities))) {
      for (const grow of [1, 1e5]) {
        await freeingAll(gpu, async () => {
          const { words, expected, stride } = await run(gpu, variant, test, grow);
          const { rows } = test;
          const made = fromHalves(new Uint32Array(words.buffer, 0, (rows * stride) / 2).slice());
          const within = expected.map((value) => Math.max(-65504, Math.min(65504, value)));
          expect(relativeError(unstrided(made, rows, test.width, stride), within), variant.name).toBeLessThan(4e-4);
          expect(words.subarray((rows * stride) / 2).every(Number.isNaN), 'rows behind the last').toBe(true);
        });
      }
    }
  });

  it('has a variant for every adapter', () => {
    const portable = { ...gpu.capabilities, subgroups: false };
    expect(normVariants(portable).some((variant) => variant.runs(portable))).toBe(true);
  });
});
