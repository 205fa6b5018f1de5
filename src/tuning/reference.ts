import { f16ToF32, f32Value } from '../checkpoint/float.js';
import type { Gpu } from '../gpu/gpu.js';
import { BLOCK_TOKENS, paddedHeadDim, type KvStored } from '../kernels/attention/shape.js';
import type { AttentionTrialData } from '../kernels/attention/trial.js';
import { trialQuants, type MatmulTrialData } from '../kernels/matmul/trial.js';
import { trialValues } from '../kernels/trial-step.js';
import {
  bytesPerElement,
  paddedColumns,
  scalesBegin,
  unitBytes,
  type FloatDtype,
  type WeightMatrix,
  type WeightPart,
} from '../kernels/weights.js';
import { dequantizeActivations } from '../quantization/activations.js';
import { quantFormat, scaleWords } from '../quantization/formats.js';
import { dequantizeRows } from '../quantization/quantize.js';

/** A few outputs computed in float64 on the host: places in a result, and what belongs there. */
export interface SampledOutputs {
  readonly at: readonly number[];
  readonly values: Float64Array;
}

function decode(bytes: ArrayBuffer, dtype: FloatDtype): Float64Array {
  if (dtype === 'f32') return Float64Array.from(new Float32Array(bytes));
  const widen =
    dtype === 'f16' ? (bits: number) => f32Value(f16ToF32(bits)) : (bits: number) => f32Value((bits << 16) >>> 0);
  return Float64Array.from(new Uint16Array(bytes), widen);
}

/** The edges, and some places in between. */
function spread(length: number, count: number): number[] {
  const edges = [0, 1, length - 2, length - 1];
  const inner = Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * length) / count));
  return [...new Set([...edges, ...inner])].filter((i) => i >= 0 && i < length);
}

/** One row's bytes out of a block of `lanes` rows that lie side by side, `unit` bytes of each in turn. */
function rowOf(block: ArrayBuffer, lanes: number, lane: number, unit: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(block.byteLength / lanes);
  for (let at = 0; at < bytes.length; at += unit) {
    bytes.set(new Uint8Array(block, at * lanes + lane * unit, unit), at);
  }
  return bytes;
}

/** A row of a part as numbers. */
async function storedRow(gpu: Gpu, matrix: WeightMatrix, part: WeightPart, row: number): Promise<Float64Array> {
  const { lanes, stride, dtype } = matrix;
  const read = async (begin: number, rowBytes: number, unit: number): Promise<Uint8Array<ArrayBuffer>> => {
    const block = await gpu.read(part.buffer, begin + Math.floor(row / lanes) * lanes * rowBytes, lanes * rowBytes);
    return rowOf(block, lanes, row % lanes, unit);
  };
  const unit = unitBytes(dtype);
  const quants = await read(0, scalesBegin(1, stride, { dtype, lanes: 1 }), unit);
  const format = quantFormat(dtype);
  if (format === undefined) return decode(quants.buffer, dtype as FloatDtype);
  const words = await read(scalesBegin(part.rows, stride, matrix), 4 * scaleWords(stride, format), 4);
  return dequantizeRows({ quants, scales: new Uint32Array(words.buffer) }, 1, stride, format);
}

/** @param rows of the result that is to be judged */
export async function matmulSample(gpu: Gpu, data: MatmulTrialData, rows: number): Promise<SampledOutputs> {
  const { n, k } = data.shape;
  const [matrix] = data.copies;
  const stride = paddedColumns(k);
  const words = trialQuants(data.shape, rows);
  const format = quantFormat(data.shape.dtype);
  const x =
    words !== undefined && format !== undefined
      ? dequantizeActivations(words, rows, stride, format)
      : trialValues(rows * stride);
  const at: number[] = [];
  const values: number[] = [];
  for (const output of spread(n, 12)) {
    const part = matrix.parts.find(({ rowBegin, rows: count }) => output < rowBegin + count)!;
    const weights = await storedRow(gpu, matrix, part, output - part.rowBegin);
    for (const row of spread(rows, 4)) {
      let sum = 0;
      for (let i = 0; i < k; i++) sum += x[row * stride + i] * weights[i];
      at.push(row * paddedColumns(n) + output);
      values.push(sum);
    }
  }
  return { at, values: Float64Array.from(values) };
}

/** The numbers of a row of the cache: one head of one token. */
export function cachedHead(bytes: ArrayBuffer, row: number, padded: number, kv: KvStored): Float64Array {
  if (kv !== 'int8') {
    const rowBytes = padded * bytesPerElement(kv);
    return decode(bytes.slice(row * rowBytes, (row + 1) * rowBytes), kv);
  }
  const begin = Math.floor(row / BLOCK_TOKENS) * BLOCK_TOKENS * (padded + 4);
  const token = row % BLOCK_TOKENS;
  const [scale] = new Float32Array(bytes, begin + BLOCK_TOKENS * padded + 4 * token, 1);
  return Float64Array.from(new Int8Array(bytes, begin + token * padded, padded), (quant) => scale * quant);
}

export async function attentionSample(gpu: Gpu, data: AttentionTrialData): Promise<SampledOutputs> {
  const { phase, shape, kv, rows, context, window = Infinity } = data.test;
  const { heads, kvHeads, headDim } = shape;
  const padded = paddedHeadDim(headDim);
  const [keys, values] = await Promise.all([data.caches[0].keys, data.caches[0].values].map((each) => gpu.read(each)));
  const queries = trialValues(rows * heads * padded);
  const outStride = paddedColumns(heads * headDim);
  const at: number[] = [];
  const out: number[] = [];
  for (const row of spread(rows, 2)) {
    for (const head of spread(heads, 2)) {
      const kvHead = Math.floor(head / (heads / kvHeads));
      const visible = phase === 'decode' ? context + 1 : context + row + 1;
      const slot = phase === 'decode' ? row : 0;
      const cached = (bytes: ArrayBuffer, token: number): Float64Array => {
        const block = slot * data.blocksPerSlot + Math.floor(token / BLOCK_TOKENS);
        const index = (block * kvHeads + kvHead) * BLOCK_TOKENS + (token % BLOCK_TOKENS);
        return cachedHead(bytes, index, padded, kv);
      };
      const first = Math.max(0, visible - window);
      const scores = Array.from({ length: visible - first }, (_, i) => {
        const key = cached(keys, first + i);
        let score = 0;
        for (let at = 0; at < headDim; at++) score += queries[(row * heads + head) * padded + at] * key[at];
        return score / Math.sqrt(headDim);
      });
      const best = Math.max(...scores);
      const sums = new Float64Array(headDim);
      let total = 0;
      scores.forEach((score, i) => {
        const weight = Math.exp(score - best);
        const value = cached(values, first + i);
        total += weight;
        for (let at = 0; at < headDim; at++) sums[at] += weight * value[at];
      });
      for (let i = 0; i < headDim; i++) {
        at.push(row * outStride + head * headDim + i);
        out.push(sums[i] / total);
      }
    }
  }
  return { at, values: Float64Array.from(out) };
}

/** Kernels that round activations to f16 come to 3e-4 of the norm; one that leaves out 8 of 11008 products to 3e-2. */
const TOLERANCE = 1e-3;
/** A single output may be off by this share of their root mean square. */
const TOLERANCE_ONE = 0.05;

/** Why a result is not the reference; undefined where it is. @param tolerance of the norm of the difference */
export function disagreement(
  found: ArrayLike<number>,
  reference: ArrayLike<number>,
  tolerance = TOLERANCE,
): string | undefined {
  let [difference, norm, worst, at] = [0, 0, 0, 0];
  for (let i = 0; i < reference.length; i++) {
    const d = Math.abs(found[i] - reference[i]);
    if (!(d <= worst)) [worst, at] = [d, i]; // a NaN too
    difference += d * d;
    norm += reference[i] * reference[i];
  }
  const error = Math.sqrt(difference / norm);
  if (Number.isNaN(error)) return 'some of its results are not numbers';
  if (error > tolerance) return `its results differ from the reference by ${error.toExponential(1)} of their norm`;
  const size = Math.sqrt(norm / reference.length);
  return worst > TOLERANCE_ONE * size
    ? `result ${at} differs from the reference by ${(worst / size).toFixed(2)}`
    : undefined;
}

/** Picks the sampled places out of a result. */
export const pick = (out: Float32Array, { at }: SampledOutputs): Float32Array => Float32Array.from(at, (i) => out[i]);
