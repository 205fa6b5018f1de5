import type { BufferRange, Gpu } from '../../gpu/gpu.js';
import { record, type Dispatch } from '../../gpu/recorder.js';
import type { Capabilities } from '../../gpu/capabilities.js';
import { headDefines, isQuantizedKv, kvDefines, type HeadShape, type KvStored } from '../attention/shape.js';
import type { HeadConstants } from '../matmul/fusion.js';
import { TOLERANCE, variantOf, type Variant } from '../variant.js';
import { laneRows } from '../weights.js';

export interface RopeVariant extends Variant {
  /** Workgroups of a row. */
  readonly groups: number;
}

const PAIR_THREADS = 64;
/** Threads of a workgroup that has a whole head. */
const HEAD_THREADS = 32;

/** @param constants what is added to heads or normalises them, if anything is */
export function ropeVariant(
  shape: HeadShape,
  kv: KvStored,
  capabilities: Capabilities,
  constants?: Pick<HeadConstants, 'bias' | 'norm'>,
): RopeVariant {
  const { heads, kvHeads, headDim } = shape;
  const normed = constants?.norm !== undefined;
  const whole = isQuantizedKv(kv) || normed;
  // On a driver that runs shaders on the CPU a workgroup is a subgroup, which needs no barrier.
  const lanes = laneRows(capabilities);
  const subgroups = whole && lanes > 1;
  const defines = {
    ...headDefines(shape),
    ...kvDefines(kv),
    // A workgroup is a subgroup, which adds up without a barrier.
    subgroups,
    // There is a buffer of biases, scales of norms, or both.
    constant: constants !== undefined,
    // Biases are added.
    bias: constants?.bias !== undefined,
    // Heads of queries and keys are normed.
    head_norm: normed,
    // Of a workgroup that has a whole head.
    ...(whole && { THREADS: subgroups ? lanes : HEAD_THREADS }),
  };
  const pairs = ((heads + 2 * kvHeads) * headDim) / 2;
  return variantOf({
    name: `${whole ? 'heads' : 'pairs'}${constants?.bias === undefined ? '' : '+bias'}${normed ? '+norm' : ''}`,
    shader: 'rope/rope_kv.wgsl',
    bindings: constants === undefined ? 'uurrrwww' : 'uurrrwwwr',
    defines,
    groups: whole ? heads + 2 * kvHeads : Math.ceil(pairs / PAIR_THREADS),
    tolerance: TOLERANCE.elementwise,
    needs: subgroups ? ['subgroups'] : [],
  });
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
  readonly constants?: HeadConstants;
}

/**
 * Rotary embedding of queries and keys, and the write of keys and values into the paged cache: of a step's prompts, and of
 * all its rows where the cache is quantised or heads are normed first.
 */
export class RopeKernel {
  readonly #dispatch: Dispatch;
  readonly #groups: number;

  private constructor(dispatch: Dispatch, groups: number) {
    this.#dispatch = dispatch;
    this.#groups = groups;
  }

  static async create(gpu: Gpu, spec: RopeSpec): Promise<RopeKernel> {
    const variant = ropeVariant(spec.shape, spec.kv, gpu.capabilities, spec.constants);
    const pipeline = await gpu.pipelines.get(variant);
    const { heads, kvHeads, headDim } = spec.shape;
    const pairs = ((heads + 2 * kvHeads) * headDim) / 2;
    const { buffer, bias = 0, norm = 0, eps = 0 } = spec.constants ?? {};
    const words = Uint32Array.of(spec.qkvStride / 2, pairs, bias / 2, norm / 2, 0, 0, 0, 0);
    new Float32Array(words.buffer)[4] = eps;
    const params = gpu.uniform(`${spec.operation} params`, words);
    const bindGroup = gpu.bindGroup(pipeline, spec.operation, [
      spec.step,
      params,
      spec.rows,
      spec.qkv,
      spec.angles,
      spec.queries,
      spec.keys,
      spec.values,
      ...(buffer === undefined ? [] : [buffer]),
    ]);
    return new RopeKernel({ pipeline, bindGroup }, variant.groups);
  }

  record(pass: GPUComputePassEncoder, rows: number): void {
    record(pass, this.#dispatch, this.#groups, rows);
  }
}
