import { expect } from 'vitest';
import type { Gpu } from '../../src/gpu/gpu.js';
import { record } from '../../src/gpu/recorder.js';
import { halfWords } from '../../src/quantization/halves.js';
import { matmulParams, type Epilogue, type MatmulVariant } from '../../src/kernels/matmul/kernel.js';
import { random, relativeError } from '../reference/compare.js';
import * as reference from '../reference/ops.js';
import { freeingAll, poisoned, readWords, storageOf, submit, touchedOutside, unstrided } from './buffers.js';
import { stepUniform } from './step.js';
import { decode, rounded, weightMatrix } from './weights.js';

/** A product of many rows. */
export interface ManyCase {
  readonly epilogue: Epilogue;
  /** The first rows, which are decoding sequences'. */
  readonly decodeRows: number;
  readonly n: number;
  readonly k: number;
  readonly rows: number;
}

/** Numbers that f16 holds, and their sums of products f32: nothing is rounded, so that only the order differs. */
function exactData({ rows, n, k }: ManyCase) {
  const rng = random(rows * n + k);
  const whole = (length: number): Float64Array => Float64Array.from({ length }, () => rng.integer(17) - 8);
  return {
    x: whole(rows * k),
    w: rounded(
      whole(n * k).map((value) => value / 8),
      'f16',
    ),
    residual: whole(rows * n),
  };
}

/** Numbers of f16, two to a word. */
export const fromHalves = (words: Uint32Array<ArrayBuffer>): Float32Array =>
  Float32Array.from(new Uint16Array(words.buffer), (bits) => decode(bits, 'f16'));

/** Whether each variant makes the rows of prompts as float64 does, and leaves everything else alone. */
export async function checkMany(gpu: Gpu, variants: readonly MatmulVariant[], test: ManyCase): Promise<void> {
  const { epilogue, decodeRows, n, k, rows } = test;
  const { x, w, residual } = exactData(test);
  const product = reference.matmul(x, w, rows, n, k);
  const half = (phase: number): Float64Array => product.filter((_, i) => (i % n) % 2 === phase);
  const expected = {
    store: () => product,
    residual: () => reference.add(product, residual),
    silu: () => reference.siluGate(half(0), half(1)),
  }[epilogue]();
  const width = epilogue === 'silu' ? n / 2 : n;
  for (const variant of variants) {
    const what = `${variant.name}, ${JSON.stringify(test)}`;
    await freeingAll(gpu, async () => {
      const weights = weightMatrix(gpu, w, k, 'f16');
      const out = poisoned(gpu, 'out', (rows + 1) * width);
      if (epilogue === 'residual') gpu.queue.writeBuffer(out, 0, Float32Array.from(residual));
      // Variants that take rows in f16 write gated ones so.
      const half = variant.defines.half_rows === true;
      const gated = half && epilogue === 'silu';
      const outStride = gated ? width / 2 : width;
      const xStride = half ? k / 2 : k;
      const words = matmulParams(weights.parts[0], weights, { xStride, outStride, epilogue });
      const params = gpu.uniform('params', words);
      const values = Float32Array.from(x);
      const pipeline = await gpu.pipelines.get(variant);
      const bindGroup = gpu.bindGroup(pipeline, 'matmul', [
        stepUniform(gpu, { tokens: rows, decodeRows }),
        params,
        storageOf(gpu, 'x', half ? halfWords(values) : values),
        weights.parts[0].buffer,
        out,
      ]);
      const tiles = Math.ceil((rows - decodeRows) / variant.rowsPerGroup);
      submit(gpu, (pass) => record(pass, { pipeline, bindGroup }, variant.groups(n, gpu.capabilities), tiles));
      const result = await readWords(gpu, out);
      const numbers = gated ? fromHalves(result) : new Float32Array(result.buffer);
      const made = unstrided(numbers, rows, width, width).subarray(decodeRows * width);
      // exp in f32 is all that is not exact, and a result in f16.
      const tolerance = gated ? 4e-4 : epilogue === 'silu' ? 3e-6 : 1e-6;
      expect(relativeError(made, expected.subarray(decodeRows * width)), what).toBeLessThan(tolerance);
      expect(touchedOutside(result, rows, outStride, outStride), what).toBe(0);
    });
  }
}
