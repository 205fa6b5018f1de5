import type { BufferRange, Gpu } from '../../gpu/gpu.js';
import { record, type Dispatch } from '../../gpu/recorder.js';
import type { Capabilities } from '../../gpu/capabilities.js';
import { headDefines, isQuantizedKv, kvDefines, type HeadShape, type KvStored } from '../attention/shape.js';
import { TOLERANCE, variantOf, type Variant } from '../variant.js';
import { laneRows } from '../weights.js';

/**
 * What may be done to heads beside their rotation, in this order: a condition `head_<name>` of `rope/head.wgsl` each, and
 * a place of its numbers among the parameters there.
 */
const HEAD_WORKS = ['norm'] as const;
export type HeadWorkName = (typeof HEAD_WORKS)[number];

/** Where numbers lie that are added to heads of queries, keys and values or that something else is done with. */
export interface HeadConstants extends Readonly<Partial<Record<HeadWorkName, number>>> {
  readonly buffer: GPUBuffer;
  /** Of the biases, [heads q | kv heads k | kv heads v][head dim]. */
  readonly bias?: number;
  /** Of the scales that queries' heads, then those of keys, are normed with, [2][head dim]. */
  readonly norm?: number;
  readonly eps: number;
}

export interface RopeVariant extends Variant {
  /** Workgroups of a row. */
  readonly groups: number;
}

const PAIR_THREADS = 64;
/** Threads of a workgroup that has a whole head. */
const HEAD_THREADS = 32;

/** @param constants what is added to heads or done to them, if anything is */
export function ropeVariant(
  shape: HeadShape,
  kv: KvStored,
  capabilities: Capabilities,
  constants?: Pick<HeadConstants, 'bias' | HeadWorkName>,
): RopeVariant {
  const { heads, kvHeads, headDim } = shape;
  const works = HEAD_WORKS.filter((work) => constants?.[work] !== undefined);
  const whole = isQuantizedKv(kv) || works.length > 0;
  // On a driver that runs shaders on the CPU a workgroup is a subgroup, which needs no barrier.
  const lanes = laneRows(capabilities);
  const subgroups = whole && lanes > 1;
  const defines = {
    ...headDefines(shape),
    ...kvDefines(kv),
    // A workgroup is a subgroup, which adds up without a barrier.
    subgroups,
    // There is a buffer of biases, of what works on heads, or of both.
    constant: constants !== undefined,
    // Biases are added.
    bias: constants?.bias !== undefined,
    // Something is done to heads, and what.
    works: works.length > 0,
    ...Object.fromEntries(HEAD_WORKS.map((work) => [`head_${work}`, works.includes(work)])),
    // Of a workgroup that has a whole head.
    ...(whole && { THREADS: subgroups ? lanes : HEAD_THREADS }),
  };
  const pairs = ((heads + 2 * kvHeads) * headDim) / 2;
  return variantOf({
    name: `${whole ? 'heads' : 'pairs'}${constants?.bias === undefined ? '' : '+bias'}${works.map((work) => `+${work}`).join('')}`,
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
 * all its rows where the cache is quantised or more is done to heads.
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
    const { buffer, bias = 0, eps = 0, ...places }: Partial<HeadConstants> = spec.constants ?? {};
    const words = new Uint32Array(8);
    words.set([spec.qkvStride / 2, pairs, bias / 2, 0, ...HEAD_WORKS.map((work) => (places[work] ?? 0) / 2)]);
    new Float32Array(words.buffer)[3] = eps;
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
