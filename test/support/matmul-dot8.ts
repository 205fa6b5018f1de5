import type { Gpu } from '../../src/gpu/gpu.js';
import { record } from '../../src/gpu/recorder.js';
import { matmulParams, type Epilogue, type MatmulVariant } from '../../src/kernels/matmul/kernel.js';
import { paddedColumns } from '../../src/kernels/weights.js';
import { activationWords, dequantizeActivations, quantizeActivations } from '../../src/quantization/activations.js';
import { quantFormat, type QuantizedDtype } from '../../src/quantization/formats.js';
import { random, relativeError } from '../reference/compare.js';
import * as reference from '../reference/ops.js';
import { poisoned, readFloats, storageOf, strided, submit, touchedOutside, unstrided } from './buffers.js';
import { stepUniform } from './step.js';
import { rounded, storedWeights, weightMatrix } from './weights.js';

export interface Dot8Case {
  readonly n: number;
  readonly k: number;
  readonly rows: number;
  /** The first rows, which are decoding sequences'. */
  readonly decodeRows?: number;
  readonly partRows?: number;
  readonly epilogue?: Epilogue;
}

/** Rows and outputs around tiles of 64 and 128, columns that end in parts of a group, every epilogue. */
export const DOT8_CASES: readonly Dot8Case[] = [
  { n: 6, k: 8, rows: 1 },
  { n: 105, k: 64, rows: 9 },
  { n: 64, k: 105, rows: 65, epilogue: 'residual' },
  { n: 172, k: 172, rows: 8, partRows: 62, epilogue: 'silu' },
  { n: 130, k: 704, rows: 131, decodeRows: 2 },
  { n: 256, k: 160, rows: 128, epilogue: 'residual' },
];

export function dot8Data({ n, k, rows }: Dot8Case, dtype: QuantizedDtype) {
  const format = quantFormat(dtype);
  const stride = paddedColumns(k);
  const rng = random(n * 1000 + k);
  const x = rounded(rng.normal(rows * k), 'f32');
  x.fill(0, 0, k); // a row of zeros
  const words = quantizeActivations(strided(x, k, stride), rows, stride, format);
  const exact = unstrided(Float32Array.from(dequantizeActivations(words, rows, stride, format)), rows, k, stride);
  const w = rng.normal(n * k, 1 / Math.sqrt(k));
  const residual = rounded(rng.normal(rows * n), 'f32');
  const store = reference.matmul(exact, storedWeights(w, k, dtype), rows, n, k);
  return { dtype, words, w, residual, store };
}

type Data = ReturnType<typeof dot8Data>;

function expectedOf({ store, residual }: Data, n: number, epilogue: Epilogue): Float64Array {
  if (epilogue === 'store') return store;
  if (epilogue === 'residual') return reference.add(store, residual);
  const half = (phase: number): Float64Array => store.filter((_, i) => (i % n) % 2 === phase);
  return reference.siluGate(half(0), half(1));
}

/** Runs a variant on a case's data. */
export async function runDot8(gpu: Gpu, variant: MatmulVariant, lanes: number, test: Dot8Case, made: Data) {
  const { dtype } = made;
  const format = quantFormat(dtype);
  const { n, k, rows, decodeRows = 0, partRows, epilogue = 'store' } = test;
  const width = epilogue === 'silu' ? n / 2 : n;
  const outStride = paddedColumns(width) + 32;
  const weights = weightMatrix(gpu, made.w, k, dtype, partRows, lanes);
  const rowWords = activationWords(weights.stride, format);
  const pipeline = await gpu.pipelines.get(variant);
  const x = storageOf(gpu, 'x', made.words, rowWords * 4);
  const out = poisoned(gpu, 'out', (rows + 1) * outStride);
  if (epilogue === 'residual') gpu.queue.writeBuffer(out, 0, strided(made.residual, n, outStride));
  const step = stepUniform(gpu, { tokens: rows, decodeRows, logitRows: 99 });
  submit(gpu, (pass) => {
    for (const part of weights.parts) {
      const words = matmulParams(part, weights, { xStride: rowWords, outStride, epilogue });
      const group = gpu.bindGroup(pipeline, 'matmul', [step, gpu.uniform('params', words), x, part.buffer, out]);
      const tiles = Math.ceil((rows - decodeRows) / variant.rowsPerGroup);
      record(pass, { pipeline, bindGroup: group }, variant.groups(part.rows, gpu.capabilities), tiles);
    }
  });
  const words = await readFloats(gpu, out);
  const found = unstrided(words, rows, width, outStride).subarray(decodeRows * width);
  const expected = expectedOf(made, n, epilogue).subarray(decodeRows * width);
  return {
    error: relativeError(found, expected),
    touched: epilogue === 'residual' ? 0 : touchedOutside(new Uint32Array(words.buffer), rows, width, outStride),
  };
}
