import type { BufferRange, Gpu } from '../gpu/gpu.js';
import { recordDispatch, type Dispatch } from '../gpu/recorder.js';
import type { Capabilities } from '../gpu/capabilities.js';
import { headDefines, isQuantizedKv, kvDefines, type HeadShape, type KvStored } from './attention-shape.js';
import type { Variant } from './variant.js';
import { laneRows } from './weights.js';

export interface RopeVariant extends Variant {
  /** Workgroups of a row. */
  readonly groups: number;
}

const PAIR_THREADS = 64;
/** Threads of a workgroup that quantises a head, four columns at a time. */
const HEAD_THREADS = 32;

export function ropeVariant(shape: HeadShape, kv: KvStored, capabilities: Capabilities): RopeVariant {
  const { heads, kvHeads, headDim } = shape;
  const defines = { ...headDefines(shape), ...kvDefines(kv) };
  const common = { bindings: 'uurrrwww', runs: () => true };
  if (isQuantizedKv(kv)) {
    // On a driver that runs shaders on the CPU a workgroup is a subgroup, which needs no barrier.
    const lanes = laneRows(capabilities);
    const subgroups = lanes > 1;
    return {
      ...common,
      name: 'heads',
      shader: 'rope_kv_int8.wgsl',
      defines: { ...defines, subgroups, THREADS: subgroups ? lanes : HEAD_THREADS },
      groups: heads + 2 * kvHeads,
    };
  }
  const pairs = ((heads + 2 * kvHeads) * headDim) / 2;
  return { ...common, name: 'pairs', shader: 'rope_kv.wgsl', defines, groups: Math.ceil(pairs / PAIR_THREADS) };
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

/**
 * Rotary embedding of queries and keys, and the write of keys and values into the paged cache: of a step's prompts, and of
 * all its rows where the cache is quantised.
 */
export class RopeKernel {
  private constructor(
    private readonly dispatch: Dispatch,
    private readonly groups: number,
  ) {}

  static async create(gpu: Gpu, spec: RopeSpec): Promise<RopeKernel> {
    const variant = ropeVariant(spec.shape, spec.kv, gpu.capabilities);
    const pipeline = await gpu.pipelines.get(variant);
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
    return new RopeKernel({ pipeline, bindGroup }, variant.groups);
  }

  record(pass: GPUComputePassEncoder, rows: number): void {
    recordDispatch(pass, this.dispatch, this.groups, rows);
  }
}
