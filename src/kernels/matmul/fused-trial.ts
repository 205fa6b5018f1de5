import type { Gpu } from '../../gpu/gpu.js';
import type { HeadShape, KvStored } from '../attention/shape.js';
import { filedHeads, readFiled, type FiledRun } from '../rope/trial.js';
import type { Fusion } from './fusion.js';
import { MatmulKernel } from './kernel.js';
import { defaultMatmulChoice, runnableMatmuls } from './choice.js';
import { matmulVariants } from './kernel.js';
import { paddedColumns } from '../weights.js';
import { layoutOn, matmulTrialData, type MatmulShape } from './trial.js';
import { trialStep, trialStorage, trialValues } from '../trial-step.js';

/**
 * What a launch for few rows does beside a product and the norm in front of it: SiLU and its gate; q, k and v rotated and
 * filed; only the rows taken whose logits are wanted.
 */
export type FusedTask =
  | { readonly kind: 'gate' }
  | { readonly kind: 'wanted' }
  /** With a bias, that is `trialValues`. */
  | { readonly kind: 'heads'; readonly shape: HeadShape; readonly kv: KvStored; readonly bias: boolean };

export interface FusedCase {
  readonly shape: MatmulShape;
  readonly task: FusedTask;
  readonly rows: number;
  readonly eps: number;
}

/** A fused launch's results beside the plain product of its normalised input, which is what they are made of. */
export interface FusedRun {
  /** [rows][stride], of rows normalised on the host. */
  readonly product: Float32Array;
  readonly stride: number;
  /** [rows][paddedColumns(n / 2)] of `gate`; [rows][stride] of `wanted`, the last row first. */
  readonly out: Float32Array;
  /** Of `heads` only. */
  readonly filed: FiledRun | undefined;
}

/** x of `trialValues` normalised in float64, by gamma of `trialValues` too. */
function normalised(rows: number, k: number, eps: number): Float32Array<ArrayBuffer> {
  const stride = paddedColumns(k);
  const x = trialValues(rows * stride);
  const gamma = trialValues(stride);
  const out = new Float32Array(rows * stride);
  for (let row = 0; row < rows; row++) {
    let squares = 0;
    for (let i = 0; i < k; i++) squares += x[row * stride + i] ** 2;
    const scale = 1 / Math.sqrt(squares / k + eps);
    for (let i = 0; i < k; i++) out[row * stride + i] = x[row * stride + i] * scale * gamma[i];
  }
  return out;
}

/** Rows of `k` numbers with zeros behind, as a model's are. */
function padded(values: Float32Array<ArrayBuffer>, k: number, stride: number): Float32Array<ArrayBuffer> {
  for (let end = stride; end <= values.length; end += stride) values.fill(0, end - (stride - k), end);
  return values;
}

/** Runs a variant for few rows fused and plain, on the same weights. Free what it makes with `gpu.scoped`. */
export async function runFused(gpu: Gpu, { shape, task, rows, eps }: FusedCase, variant: string): Promise<FusedRun> {
  const { n, k, dtype } = shape;
  const stride = paddedColumns(k);
  const outStride = paddedColumns(n);
  const data = await matmulTrialData(gpu, shape, rows, 0);
  const runnable = runnableMatmuls(matmulVariants(layoutOn(gpu, dtype), gpu.capabilities), gpu.capabilities);
  const choice = {
    ...defaultMatmulChoice(runnable, { n, k, sequences: rows }),
    decode: [{ rows: Math.max(1, rows), variant }],
  };
  const common = {
    weights: data.copies[0],
    step: trialStep(gpu, { tokens: rows, decodeRows: rows, logitRows: rows }),
    xStride: stride,
    maxDecodeRows: rows,
    prefill: false,
    choice,
  } as const;
  const filed = task.kind === 'heads' ? filedHeads(gpu, task.shape, task.kv, rows) : undefined;
  const x = trialStorage(gpu, 'trial x', padded(trialValues(rows * stride), k, stride));
  // A bias lies behind the scale.
  const bias = task.kind === 'heads' && task.bias ? trialValues(n) : new Float32Array(0);
  const scale = padded(trialValues(stride), k, stride);
  const numbers = new Float32Array(stride + Math.ceil(bias.length / 4) * 4);
  numbers.set(scale);
  numbers.set(bias, stride);
  const gamma = trialStorage(gpu, 'trial gamma', numbers);
  const heads = filed && { ...filed, ...(bias.length > 0 && { constants: { buffer: gamma, bias: stride, eps } }) };
  const backwards = Uint32Array.from({ length: rows }, (_, i) => rows - 1 - i);
  const wanted = task.kind === 'wanted' ? trialStorage(gpu, 'trial wanted', backwards) : undefined;
  const fusion: Fusion = { norm: { x, gamma, eps, rows: wanted }, heads };
  const ownStride = task.kind === 'gate' ? paddedColumns(n / 2) : outStride;
  const out = gpu.storage('trial out', rows * ownStride * 4);
  const fused = await MatmulKernel.create(gpu, {
    ...{ ...common, operation: `trial ${variant} fused`, fusion, x },
    ...{ epilogue: task.kind === 'gate' ? 'silu' : 'store', out, outStride: ownStride },
    rows: task.kind === 'wanted' ? 'logits' : 'tokens',
  });
  const plain = await MatmulKernel.create(gpu, {
    ...{ ...common, operation: `trial ${variant}`, epilogue: 'store', out: data.out, outStride, rows: 'tokens' },
    x: trialStorage(gpu, 'trial normalised', normalised(rows, k, eps)),
  });
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  fused.record(pass, rows, 0);
  plain.record(pass, rows, 0);
  pass.end();
  gpu.queue.submit([encoder.finish()]);
  return {
    product: new Float32Array(await gpu.read(data.out)),
    stride: outStride,
    out: new Float32Array(await gpu.read(out)),
    filed: filed && (await readFiled(gpu, filed)),
  };
}
