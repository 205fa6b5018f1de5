import type { Gpu } from '../../gpu/gpu.js';
import type { Timed } from '../../gpu/stopwatch.js';
import { MatmulKernel } from './kernel.js';
import { defaultMatmulChoice, runnableMatmuls, type MatmulVariants } from './choice.js';
import { matmulVariants, type MatmulVariant } from './kernel.js';
import { quantizeActivations, type ActivationDtype } from '../../quantization/activations.js';
import { quantFormat } from '../../quantization/formats.js';
import { promptRows, type PromptRows, type StoredRows } from './prompt-rows.js';
import { fillSynthetic } from '../synthetic/kernel.js';
import {
  allocateMatrix,
  laneRows,
  paddedColumns,
  storedBytes,
  type StoredDtype,
  type WeightLayout,
  type WeightMatrix,
} from '../weights.js';
import { trialFloats, trialHalves, trialStep, trialValues } from '../trial-step.js';

/** A matmul's weights [n, k] and how they are stored. */
export interface MatmulShape {
  readonly n: number;
  readonly k: number;
  readonly dtype: StoredDtype;
  /** What kernels for many rows multiply; f32 when absent. */
  readonly activations?: ActivationDtype;
}

/** How an adapter has weights of a type. */
export const layoutOn = ({ capabilities }: Pick<Gpu, 'capabilities'>, dtype: StoredDtype): WeightLayout => ({
  dtype,
  lanes: laneRows(capabilities),
});

/** Random weights, several copies of them so that together they fit no cache, and activations for some rows. */
export interface MatmulTrialData {
  readonly shape: MatmulShape;
  readonly copies: readonly WeightMatrix[];
  readonly mostRows: number;
  readonly x: GPUBuffer;
  /** The same as kernels for many rows take it, where that is not f32. */
  readonly prompts: StoredRows | undefined;
  readonly out: GPUBuffer;
}

/**
 * Rows of the weight matrix that are enough to time it: on a CPU driver a slice, so that one launch takes neither
 * seconds nor all memory.
 */
export function trialOutputs({ n, k, dtype }: MatmulShape, rows: number, isCpu: boolean): number {
  if (!isCpu) return n;
  const byBytes = (64 << 20) / storedBytes(1, k, { dtype, lanes: 1 });
  const byFlops = 2e9 / (2 * rows * k);
  return Math.min(n, Math.max(256, Math.floor(Math.min(byBytes, byFlops) / 256) * 256));
}

/**
 * Makes the data. Free it with `gpu.scoped`.
 *
 * @param workingBytes that the copies make up at least, one copy if that is more
 */
export async function matmulTrialData(
  gpu: Gpu,
  shape: MatmulShape,
  mostRows: number,
  workingBytes: number,
): Promise<MatmulTrialData> {
  const { n, k, dtype } = shape;
  const layout = layoutOn(gpu, dtype);
  const count = Math.min(64, Math.max(1, Math.ceil(workingBytes / storedBytes(n, k, layout))));
  const copies: WeightMatrix[] = [];
  for (let i = 0; i < count; i++) {
    const matrix = allocateMatrix(gpu, `trial weights ${i}`, { rows: n, cols: k }, layout);
    await fillSynthetic(gpu, matrix, 1, Math.sqrt(3 / k)); // one seed: any copy gives the same result
    copies.push(matrix);
  }
  const x = trialFloats(gpu, 'trial activations', mostRows * paddedColumns(k));
  const rows = promptRows(shape.activations ?? 'f32', layout, gpu.capabilities);
  const words = trialRows(shape, rows, mostRows);
  const prompts = words && {
    rows: rows as StoredRows['rows'],
    buffer: gpu.storage('trial rows', words.byteLength),
    words: words.length / mostRows,
  };
  if (prompts !== undefined) gpu.queue.writeBuffer(prompts.buffer, 0, words!);
  const out = gpu.storage('trial result', mostRows * paddedColumns(n) * 4);
  return { shape, copies, mostRows, x, prompts, out };
}

/** Rows of `trialValues` as kernels for many rows take them, where that is not f32. */
function trialRows(shape: MatmulShape, rows: PromptRows, count: number): Uint32Array<ArrayBuffer> | undefined {
  if (rows === 'f16') return trialHalves(count * paddedColumns(shape.k));
  return trialQuants(shape, count);
}

/** Rows of `trialValues` in 8 bits, where kernels for many rows take them so. */
export function trialQuants(
  { k, dtype, activations }: MatmulShape,
  rows: number,
): Uint32Array<ArrayBuffer> | undefined {
  const format = quantFormat(dtype);
  if (activations !== 'int8' || format === undefined) return undefined;
  const stride = paddedColumns(k);
  return quantizeActivations(trialValues(rows * stride), rows, stride, format);
}

export interface MatmulTrial extends Timed {
  readonly variant: MatmulVariant;
  readonly rows: number;
}

/** The variants that are worth trying for so many rows: of those for few, the ones neither far too wide nor narrow. */
export function variantsFor(
  runnable: MatmulVariants,
  rows: number,
): { decode: MatmulVariant[]; prefill: MatmulVariant[] } {
  const fits = ({ rowsPerGroup, leastRows = Math.floor(rowsPerGroup / 2) + 1 }: MatmulVariant): boolean =>
    leastRows <= rows && rows <= 8 * rowsPerGroup;
  return { decode: runnable.decode.filter(fits), prefill: rows >= 8 ? [...runnable.prefill] : [] };
}

/** A variant at a number of rows on prepared data. */
export async function matmulTrial(
  gpu: Gpu,
  data: MatmulTrialData,
  variant: MatmulVariant,
  phase: 'decode' | 'prefill',
  rows: number,
): Promise<MatmulTrial> {
  const { n, k, dtype } = data.shape;
  const decode = phase === 'decode';
  const prompts = decode ? undefined : data.prompts;
  const all = matmulVariants(layoutOn(gpu, dtype), gpu.capabilities, prompts?.rows ?? 'f32');
  const runnable = runnableMatmuls(all, gpu.capabilities);
  const usual = defaultMatmulChoice(runnable, { n, k, sequences: rows });
  const step = trialStep(gpu, { tokens: rows, decodeRows: decode ? rows : 0 });
  const kernels: MatmulKernel[] = [];
  for (const weights of data.copies) {
    const kernel = await MatmulKernel.create(gpu, {
      operation: `trial ${variant.name} ${n}x${k}`,
      weights,
      epilogue: 'store',
      step,
      x: data.x,
      xStride: paddedColumns(k),
      out: data.out,
      outStride: paddedColumns(n),
      rows: 'tokens',
      maxDecodeRows: 1,
      prefill: !decode,
      prompts,
      choice: decode
        ? { ...usual, decode: [{ rows: 1, variant: variant.name }] }
        : { ...usual, prefill: [{ rows, variant: variant.name }] },
    });
    kernels.push(kernel);
  }
  return {
    variant,
    rows,
    record: (pass, turn) => kernels[turn % kernels.length].record(pass, decode ? rows : 0, decode ? 0 : rows),
  };
}
