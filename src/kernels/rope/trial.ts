import type { Gpu } from '../../gpu/gpu.js';
import { BLOCK_TOKENS, kvBlockBytes, paddedHeadDim, type HeadShape, type KvStored } from '../attention/shape.js';
import type { FiledHeads } from '../matmul/fusion.js';
import { trialFloats, trialStep, trialStorage } from '../trial-step.js';
import { paddedColumns } from '../weights.js';
import { RopeKernel, type HeadConstants } from './kernel.js';

/** The position of a row under trial: apart, so that rows lie in several blocks of the cache. */
export const trialPosition = (row: number): number => 5 * row + 3;

/** What a launch that rotates and files heads has written. */
export interface FiledRun {
  /** [rows][heads][padded head dim]. */
  readonly queries: Float32Array;
  /** As they are stored. */
  readonly keys: ArrayBuffer;
  readonly values: ArrayBuffer;
  /** [positions][head dim / 2] of (cos, sin). */
  readonly angles: Float32Array;
}

/** Where a trial's heads are filed: rows at positions of their own in one sequence. */
export function filedHeads(gpu: Gpu, shape: HeadShape, kv: KvStored, rows: number): FiledHeads {
  const { heads, headDim } = shape;
  const positions = trialPosition(rows - 1) + 1;
  const angles = Float32Array.from({ length: positions * headDim }, (_, i) => {
    const angle = Math.floor(i / headDim) * 100 ** (-Math.floor((i % headDim) / 2) / headDim);
    return i % 2 === 0 ? Math.cos(angle) : Math.sin(angle);
  });
  const words = Array.from({ length: rows }, (_, row) => [0, trialPosition(row), 0, trialPosition(row)]).flat();
  const bytes = Math.ceil(positions / BLOCK_TOKENS) * kvBlockBytes(shape, kv);
  return {
    shape,
    kv,
    rows: trialStorage(gpu, 'trial rows', Uint32Array.from(words)),
    angles: trialStorage(gpu, 'trial angles', angles),
    queries: gpu.storage('trial queries', rows * heads * paddedHeadDim(headDim) * 4),
    keys: gpu.storage('trial keys', bytes),
    values: gpu.storage('trial values', bytes),
  };
}

export async function readFiled(gpu: Gpu, { queries, keys, values, angles }: FiledHeads): Promise<FiledRun> {
  return {
    queries: new Float32Array(await gpu.read(queries)),
    keys: await gpu.read(keys),
    values: await gpu.read(values),
    angles: new Float32Array(await gpu.read(angles)),
  };
}

export interface RopeCase {
  readonly shape: HeadShape;
  readonly kv: KvStored;
  readonly rows: number;
  readonly bias: boolean;
  /** Heads of queries and keys are normed. */
  readonly norm: boolean;
  readonly eps: number;
}

/**
 * Rotates and files prompts' rows of `trialValues`; biases are `trialValues` too, and the scales of the norms, of queries
 * and then of keys, those behind them. Free what it makes with `gpu.scoped`.
 */
export async function runRope(gpu: Gpu, { shape, kv, rows, bias, norm, eps }: RopeCase): Promise<FiledRun> {
  const width = (shape.heads + 2 * shape.kvHeads) * shape.headDim;
  const stride = paddedColumns(width);
  const heads = filedHeads(gpu, shape, kv, rows);
  const constants: HeadConstants | undefined =
    bias || norm
      ? {
          buffer: trialFloats(gpu, 'trial constants', width + 2 * shape.headDim),
          ...{ bias: bias ? 0 : undefined, norm: norm ? width : undefined, eps },
        }
      : undefined;
  const kernel = await RopeKernel.create(gpu, {
    ...{ ...heads, operation: 'trial rope', step: trialStep(gpu, { tokens: rows }), constants },
    ...{ qkv: trialFloats(gpu, 'trial qkv', rows * stride), qkvStride: stride },
  });
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  kernel.record(pass, rows);
  pass.end();
  gpu.queue.submit([encoder.finish()]);
  return readFiled(gpu, heads);
}
