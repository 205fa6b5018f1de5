import type { Gpu } from '../../gpu/gpu.js';
import { BLOCK_TOKENS, kvBlockBytes, paddedHeadDim, type HeadShape, type KvStored } from '../attention-shape.js';
import type { FiledHeads, Fusion } from '../fusion.js';
import { MatmulKernel } from '../matmul.js';
import { defaultMatmulChoice, runnableMatmuls } from '../matmul-choice.js';
import { matmulVariants } from '../matmul.js';
import { paddedColumns } from '../weights.js';
import { layoutOn, matmulTrialData, type MatmulShape } from './matmul.js';
import { trialStep, trialValues } from './step.js';

/**
 * What a launch for few rows does beside a product and the norm in front of it: SiLU and its gate; q, k and v rotated and
 * filed; only the rows taken whose logits are wanted.
 */
export type FusedTask =
  { readonly kind: 'gate' } | { readonly kind: 'wanted' } | { readonly kind: 'heads'; shape: HeadShape; kv: KvStored };

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
  /** [rows][heads][padded head dim]; of `heads` only, as are keys and values as they are stored. */
  readonly queries: Float32Array;
  readonly keys: ArrayBuffer;
  readonly values: ArrayBuffer;
  /** [positions][head dim / 2] of (cos, sin). */
  readonly angles: Float32Array;
}

/** The position of a row under trial: apart, so that rows lie in several blocks of the cache. */
export const fusedPosition = (row: number): number => 5 * row + 3;

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

/** Storage that holds numbers. */
function storageOf(gpu: Gpu, label: string, values: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): GPUBuffer {
  const buffer = gpu.storage(label, values.byteLength);
  gpu.queue.writeBuffer(buffer, 0, values);
  return buffer;
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
    few: [{ rows: Math.max(1, rows), variant }],
  };
  const common = {
    weights: data.copies[0],
    step: trialStep(gpu, { tokens: rows, decodeRows: rows, logitRows: rows }),
    xStride: stride,
    maxDecodeRows: rows,
    prefill: false,
    choice,
  } as const;
  const heads = task.kind === 'heads' ? filed(gpu, task.shape, task.kv, rows) : undefined;
  const x = storageOf(gpu, 'trial x', padded(trialValues(rows * stride), k, stride));
  const gamma = storageOf(gpu, 'trial gamma', padded(trialValues(stride), k, stride));
  const backwards = Uint32Array.from({ length: rows }, (_, i) => rows - 1 - i);
  const wanted = task.kind === 'wanted' ? storageOf(gpu, 'trial wanted', backwards) : undefined;
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
    x: storageOf(gpu, 'trial normalised', normalised(rows, k, eps)),
  });
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  fused.record(pass, rows, 0);
  plain.record(pass, rows, 0);
  pass.end();
  gpu.queue.submit([encoder.finish()]);
  const floats = async (buffer: GPUBuffer | undefined): Promise<Float32Array> =>
    buffer === undefined ? new Float32Array(0) : new Float32Array(await gpu.read(buffer));
  return {
    product: await floats(data.out),
    stride: outStride,
    out: await floats(out),
    queries: await floats(heads?.queries),
    keys: heads === undefined ? new ArrayBuffer(0) : await gpu.read(heads.keys),
    values: heads === undefined ? new ArrayBuffer(0) : await gpu.read(heads.values),
    angles: await floats(heads?.angles),
  };
}

/** Where a trial's heads are filed: rows at positions of their own in one sequence. */
function filed(gpu: Gpu, shape: HeadShape, kv: KvStored, rows: number): FiledHeads {
  const { heads, headDim } = shape;
  const positions = fusedPosition(rows - 1) + 1;
  const angles = Float32Array.from({ length: positions * headDim }, (_, i) => {
    const angle = Math.floor(i / headDim) * 100 ** (-Math.floor((i % headDim) / 2) / headDim);
    return i % 2 === 0 ? Math.cos(angle) : Math.sin(angle);
  });
  const words = Array.from({ length: rows }, (_, row) => [0, fusedPosition(row), 0, fusedPosition(row)]).flat();
  const bytes = Math.ceil(positions / BLOCK_TOKENS) * kvBlockBytes(shape, kv);
  return {
    shape,
    kv,
    rows: storageOf(gpu, 'trial rows', Uint32Array.from(words)),
    angles: storageOf(gpu, 'trial angles', angles),
    queries: gpu.storage('trial queries', rows * heads * paddedHeadDim(headDim) * 4),
    keys: gpu.storage('trial keys', bytes),
    values: gpu.storage('trial values', bytes),
  };
}
