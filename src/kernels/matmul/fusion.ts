import { headDefines, kvDefines, type HeadShape, type KvStored } from '../attention/shape.js';
import type { BufferRange } from '../../gpu/gpu.js';
import type { HeadConstants } from '../rope/kernel.js';
import type { MatmulVariant } from './kernel.js';

/**
 * What the launch of a projection does with its result instead of storing it: rotate and file q, k and v. Not into a
 * cache of int8, nor where more is done to heads: a workgroup sees some of a head's numbers, and both want all. Biases lie in
 * the buffer of the norm before, since the launch binds as many buffers as every adapter has.
 */
export interface FiledHeads {
  readonly shape: HeadShape;
  readonly kv: KvStored;
  readonly rows: GPUBuffer | BufferRange;
  /** [positions][headDim / 2] of (cos, sin). */
  readonly angles: GPUBuffer;
  /** [tokens][heads][padded head dim] f32. */
  readonly queries: GPUBuffer;
  readonly keys: GPUBuffer;
  readonly values: GPUBuffer;
  /** Absent where nothing is added to heads and nothing else done to them. */
  readonly constants?: HeadConstants;
}

/**
 * What launches for decoding sequences do beside the product, so that a layer takes few of them: normalise their input
 * (RMSNorm), and file what comes out. Prompts, whose launches are long, have kernels of their own for both.
 */
export interface Fusion {
  readonly norm: {
    /** Activations before the norm, [rows][xStride] f32. */
    readonly x: GPUBuffer;
    /** [xStride] f32. */
    readonly gamma: GPUBuffer;
    readonly eps: number;
    /** [rows] u32: which rows of x are taken, those whose logits are wanted; not together with heads. */
    readonly rows?: GPUBuffer | BufferRange;
  };
  readonly heads?: FiledHeads;
}

/** What a variant is compiled with where nothing is fused. */
export const UNFUSED = {
  // Rows are normalised as they are read.
  norm: false,
  // Of a list are the rows that are read: those whose logits are wanted.
  wanted: false,
  // The result is rotated and filed as queries, keys and values.
  rope: false,
  // Before that, biases are added.
  bias: false,
};

/** A variant for few rows, with what a fusion adds. */
export function fused(variant: MatmulVariant, fusion: Fusion | undefined): MatmulVariant {
  if (fusion === undefined) return variant;
  const { norm, heads } = fusion;
  const wanted = norm.rows !== undefined;
  const bias = heads?.constants?.bias !== undefined;
  return {
    ...variant,
    name: `${variant.name}+norm${wanted ? '+wanted' : ''}${heads === undefined ? '' : '+rope'}${bias ? '+bias' : ''}`,
    bindings: `${variant.bindings}r${wanted ? 'r' : ''}${heads === undefined ? '' : 'rrww'}`,
    defines: {
      ...variant.defines,
      // As `UNFUSED` explains them.
      ...{ norm: true, wanted, bias },
      // Of heads whose shape and cache the shader then knows.
      ...(heads === undefined ? {} : { rope: true, ...headDefines(heads.shape), ...kvDefines(heads.kv) }),
    },
  };
}

/** The buffers of a fused launch's bindings, behind step and parameters. */
export function fusedBuffers({ norm, heads }: Fusion, weights: GPUBuffer, out: GPUBuffer): (GPUBuffer | BufferRange)[] {
  if (heads === undefined) return [norm.x, weights, out, norm.gamma, ...(norm.rows === undefined ? [] : [norm.rows])];
  const { queries, rows, angles, keys, values } = heads;
  return [norm.x, weights, queries, norm.gamma, rows, angles, keys, values];
}
