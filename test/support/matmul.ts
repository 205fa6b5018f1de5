import type { Gpu } from '../../src/gpu/gpu.js';
import { record } from '../../src/gpu/recorder.js';
import { matmulParams, type Epilogue, type MatmulVariant } from '../../src/kernels/matmul/kernel.js';
import { paddedColumns, type StoredDtype } from '../../src/kernels/weights.js';
import type { MatmulCase } from '../kernels/matmul/cases.js';
import { random } from '../reference/compare.js';
import * as reference from '../reference/ops.js';
import { poisoned, readFloats, storageOf, strided, submit, touchedOutside, unstrided } from './buffers.js';
import { stepUniform } from './step.js';
import { rounded, storedWeights, weightMatrix } from './weights.js';

/** Inputs and float64 results of a case, for the most rows; fewer rows are a prefix. */
export interface MatmulData {
  readonly x: Float64Array;
  /** Before they are stored. */
  readonly w: Float64Array;
  readonly residual: Float64Array;
  readonly expected: Readonly<Record<Epilogue, Float64Array>>;
}

export function matmulData({ n, k }: MatmulCase, rows: number, dtype: StoredDtype): MatmulData {
  const rng = random(n * 1000 + k);
  const x = rounded(rng.normal(rows * k), 'f32');
  const w = rng.normal(n * k, 1 / Math.sqrt(k));
  const residual = rounded(rng.normal(rows * n), 'f32');
  const store = reference.matmul(x, storedWeights(w, k, dtype), rows, n, k);
  const half = (phase: number): Float64Array => store.filter((_, i) => (i % n) % 2 === phase);
  const silu = n % 2 === 0 ? reference.siluGate(half(0), half(1)) : new Float64Array(0);
  return { x, w, residual, expected: { store, residual: reference.add(store, residual), silu } };
}

export interface MatmulResult {
  readonly rows: number;
  readonly out: Float64Array;
  readonly expected: Float64Array;
  /** Words changed outside the result. */
  readonly touched: number;
}

/** Runs one variant at each number of rows, all in one submission. */
export async function runMatmul(
  gpu: Gpu,
  variant: MatmulVariant,
  epilogue: Epilogue,
  dtype: StoredDtype,
  test: MatmulCase,
  data: MatmulData,
  rowCounts: readonly number[],
  lanes?: number,
): Promise<MatmulResult[]> {
  const { n, k } = test;
  const width = epilogue === 'silu' ? n / 2 : n;
  const outStride = paddedColumns(width) + 32;
  const xStride = paddedColumns(k);
  const pipeline = await gpu.pipelines.get(variant);
  const capabilities = {
    ...gpu.capabilities,
    maxWorkgroupsPerDimension: test.mostGroups ?? gpu.capabilities.maxWorkgroupsPerDimension,
  };
  const matrix = weightMatrix(gpu, data.w, k, dtype, test.partRows, lanes);
  const x = strided(data.x, k, xStride);
  const jobs = rowCounts.map((rows) => {
    // Rows beyond those of the step are NaN in x and poisoned in out.
    const input = storageOf(gpu, 'x', x.subarray(0, rows * xStride), xStride * 4);
    const out = poisoned(gpu, 'out', (rows + 1) * outStride);
    if (epilogue === 'residual') {
      for (let row = 0; row < rows; row++) {
        const from = Float32Array.from(data.residual.subarray(row * n, (row + 1) * n));
        gpu.queue.writeBuffer(out, row * outStride * 4, from);
      }
    }
    // Half of the runs take their number of rows from the logits, as the head does.
    const logits = rows % 2;
    const head = logits ? { tokens: 99, logitRows: rows } : { tokens: rows, decodeRows: rows, logitRows: 99 };
    const step = stepUniform(gpu, variant.phase === 'prefill' ? { tokens: rows, logitRows: 99 } : head);
    const bindGroups = matrix.parts.map((part) => {
      const words = matmulParams(part, matrix, { xStride, outStride, rows: logits ? 'logits' : 'tokens', epilogue });
      const params = gpu.uniform('params', words);
      return gpu.bindGroup(pipeline, 'matmul', [step, params, input, part.buffer, out]);
    });
    return { rows, out, bindGroups };
  });
  submit(gpu, (pass) => {
    for (const { rows, bindGroups } of jobs) {
      matrix.parts.forEach((part, i) => {
        const groups = variant.groups(part.rows, capabilities);
        record(pass, { pipeline, bindGroup: bindGroups[i] }, groups, Math.ceil(rows / variant.rowsPerGroup));
      });
    }
  });
  return Promise.all(
    jobs.map(async ({ rows, out }) => {
      const words = await readFloats(gpu, out);
      return {
        rows,
        out: unstrided(words, rows, width, outStride),
        expected: data.expected[epilogue].subarray(0, rows * width),
        touched: touchedOutside(new Uint32Array(words.buffer), rows, width, outStride),
      };
    }),
  );
}
