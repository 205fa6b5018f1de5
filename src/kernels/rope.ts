import type { BufferRange, Gpu } from '../gpu/gpu.js';
import { recordDispatch, type Dispatch } from '../gpu/recorder.js';
import { headDefines, type HeadShape, type KvStored } from './attention-shape.js';
import type { Variant } from './variant.js';

export function ropeVariant(shape: HeadShape, kv: KvStored): Variant {
  return {
    name: 'pairs',
    shader: 'rope_kv.wgsl',
    bindings: 'uurrrwww',
    defines: { ...headDefines(shape), kv_f32: kv === 'f32' },
    runs: () => true,
  };
}

export interface RopeSpec {
  readonly operation: string;
  readonly shape: HeadShape;
  readonly kv: KvStored;
  readonly step: GPUBuffer | BufferRange;
  readonly rows: GPUBuffer | BufferRange;
  /** [tokens][qkvStride] f32. */
  readonly qkv: GPUBuffer;
  readonly qkvStride: number;
  /** [positions][headDim / 2] of (cos, sin). */
  readonly angles: GPUBuffer;
  /** [tokens][heads][padded head dim] f32. */
  readonly queries: GPUBuffer;
  readonly keys: GPUBuffer;
  readonly values: GPUBuffer;
}

/** Rotary embedding of a step's prompts' queries and keys, and the write of their keys and values into the paged cache. */
export class RopeKernel {
  private constructor(
    private readonly dispatch: Dispatch,
    private readonly groups: number,
  ) {}

  static async create(gpu: Gpu, spec: RopeSpec): Promise<RopeKernel> {
    const pipeline = await gpu.pipelines.get(ropeVariant(spec.shape, spec.kv));
    const { heads, kvHeads, headDim } = spec.shape;
    const pairs = ((heads + 2 * kvHeads) * headDim) / 2;
    const params = gpu.uniform(`${spec.operation} params`, Uint32Array.of(spec.qkvStride / 2, pairs, 0, 0));
    const bindGroup = gpu.bindGroup(pipeline, spec.operation, [
      spec.step,
      params,
      spec.rows,
      spec.qkv,
      spec.angles,
      spec.queries,
      spec.keys,
      spec.values,
    ]);
    return new RopeKernel({ pipeline, bindGroup }, Math.ceil(pairs / 64));
  }

  record(pass: GPUComputePassEncoder, rows: number): void {
    recordDispatch(pass, this.dispatch, this.groups, rows);
  }
}
