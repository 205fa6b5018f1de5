import type { Capabilities } from '../gpu/capabilities.js';
import type { BufferRange, Gpu } from '../gpu/gpu.js';
import { recordDispatch, type Dispatch } from '../gpu/recorder.js';
import { headDefines, paddedHeadDim, type HeadShape, type KvStored } from './attention-shape.js';
import type { Variant } from './variant.js';
import { laneRows } from './weights.js';

/** Rows of one sequence that one workgroup of prefill attention makes, bounded by workgroup memory. */
export function queriesPerTile(headDim: number): number {
  return paddedHeadDim(headDim) > 128 ? 8 : 16;
}

/** Most keys a decode workgroup handles at once; a split is a multiple of it. */
export const DECODE_TILE = 64;

/**
 * How the threads share the work. `wide` fills a GPU's workgroup; `narrow` is one subgroup or little more, for drivers
 * that run shaders on the CPU, where a barrier costs more the more threads it holds; `lanes` is one subgroup whose lanes
 * have keys of their own and show each other what they loaded, for such drivers where they have subgroups.
 */
export type AttentionWidth = 'wide' | 'narrow' | 'lanes';

export function attentionWidth(capabilities: Capabilities): AttentionWidth {
  return laneRows(capabilities) > 1 ? 'lanes' : capabilities.isCpu ? 'narrow' : 'wide';
}

/** Rows of queries that share the keys and values a subgroup loads; more would spill. */
const LANE_QUERIES = 8;

function laneKernel(shape: HeadShape, kv: KvStored, capabilities: Capabilities, phase: 'prefill' | 'decode'): Variant {
  const lanes = laneRows(capabilities);
  const decode = phase === 'decode';
  const rows = decode ? shape.heads / shape.kvHeads : LANE_QUERIES;
  return {
    name: `${decode ? 'split' : 'flash'}-lanes`,
    shader: 'attention_lanes.wgsl',
    bindings: decode ? 'uurrrrrww' : 'uurrrrrw',
    defines: {
      ...headDefines(shape),
      kv_f32: kv === 'f32',
      decode,
      rolled: true,
      LANES: lanes,
      MT: rows,
      // Few rows make little of what is loaded for them, so they score more keys with it.
      KB: rows > 4 ? 2 : 4,
      SHARES: 8 / lanes,
      LANE_PAIRS: lanes / 2,
      PAIR_BLOCKS: Math.ceil(shape.headDim / 2 / lanes),
    },
    runs: (adapter) => laneRows(adapter) === lanes && lanes > 1,
  };
}

export function prefillAttentionVariant(
  shape: HeadShape,
  kv: KvStored,
  width: AttentionWidth,
  capabilities: Capabilities,
): Variant {
  if (width === 'lanes') return laneKernel(shape, kv, capabilities, 'prefill');
  const queries = queriesPerTile(shape.headDim);
  return {
    name: `flash-${width}`,
    shader: 'attention_prefill.wgsl',
    bindings: 'uurrrrrw',
    defines: {
      ...headDefines(shape),
      kv_f32: kv === 'f32',
      QUERIES: queries,
      KEYS: 32,
      THREADS: width === 'wide' ? 64 : queries,
      alone: width === 'narrow',
      rolled: width === 'narrow',
    },
    runs: () => true,
  };
}

export function decodeAttentionVariants(
  shape: HeadShape,
  kv: KvStored,
  width: AttentionWidth,
  capabilities: Capabilities,
): { split: Variant; reduce: Variant } {
  const defines = headDefines(shape);
  const fits = shape.heads / shape.kvHeads <= LANE_QUERIES;
  return {
    split:
      width === 'lanes' && fits
        ? laneKernel(shape, kv, capabilities, 'decode')
        : {
            name: `split-${width}`,
            shader: 'attention_decode.wgsl',
            bindings: 'uurrrrrww',
            defines: {
              ...defines,
              kv_f32: kv === 'f32',
              THREADS: width === 'wide' ? DECODE_TILE : 8,
              rolled: width !== 'wide',
            },
            runs: () => true,
          },
    reduce: {
      name: 'reduce',
      shader: 'attention_reduce.wgsl',
      bindings: 'uurw',
      defines: { HEADS: shape.heads, HALF: shape.headDim / 2 },
      runs: () => true,
    },
  };
}

/** Bytes of the partial results of `rows` decoding sequences cut into at most `splits` parts. */
export function partialBytes(shape: HeadShape, rows: number, splits: number): number {
  return rows * shape.heads * splits * (shape.headDim / 2 + 1) * 8;
}

export interface AttentionSpec {
  readonly operation: string;
  readonly shape: HeadShape;
  readonly kv: KvStored;
  readonly step: GPUBuffer | BufferRange;
  readonly rows: GPUBuffer | BufferRange;
  /** [tiles] of (first row, rows, slot, first position). */
  readonly tiles: GPUBuffer | BufferRange;
  /** [slots][blocks per slot]. */
  readonly blockTables: GPUBuffer;
  /** [tokens][heads][padded head dim] f32. */
  readonly queries: GPUBuffer;
  readonly keys: GPUBuffer;
  readonly values: GPUBuffer;
  readonly partials: GPUBuffer;
  /** [tokens][outStride] f32. */
  readonly out: GPUBuffer;
  readonly outStride: number;
  /** Default: what suits the adapter. */
  readonly width?: AttentionWidth;
}

/** Causal attention over the paged cache: decode rows split over their context, prefill rows in tiles. */
export class AttentionKernel {
  private constructor(
    private readonly heads: number,
    private readonly kvHeads: number,
    private readonly prefill: Dispatch,
    private readonly split: Dispatch,
    private readonly reduce: Dispatch,
    /** Workgroups that share a tile of prefill rows. */
    private readonly groupsPerTile: number,
  ) {}

  static async create(gpu: Gpu, spec: AttentionSpec): Promise<AttentionKernel> {
    const { operation, shape } = spec;
    const width = spec.width ?? attentionWidth(gpu.capabilities);
    const variants = decodeAttentionVariants(shape, spec.kv, width, gpu.capabilities);
    const [prefill, split, reduce] = await Promise.all([
      gpu.pipelines.get(prefillAttentionVariant(shape, spec.kv, width, gpu.capabilities)),
      gpu.pipelines.get(variants.split),
      gpu.pipelines.get(variants.reduce),
    ]);
    const words = new ArrayBuffer(16);
    new Float32Array(words)[0] = 1 / Math.sqrt(shape.headDim);
    new Uint32Array(words).set([spec.outStride / 2, paddedHeadDim(shape.headDim) / 8], 1);
    const params = gpu.uniform(`${operation} params`, words);
    const cache = [spec.blockTables, spec.queries, spec.keys, spec.values];
    return new AttentionKernel(
      shape.heads,
      shape.kvHeads,
      {
        pipeline: prefill,
        bindGroup: gpu.bindGroup(prefill, operation, [spec.step, params, spec.tiles, ...cache, spec.out]),
      },
      {
        pipeline: split,
        bindGroup: gpu.bindGroup(split, operation, [spec.step, params, spec.rows, ...cache, spec.partials, spec.out]),
      },
      {
        pipeline: reduce,
        bindGroup: gpu.bindGroup(reduce, operation, [spec.step, params, spec.partials, spec.out]),
      },
      width === 'lanes' ? Math.ceil(queriesPerTile(shape.headDim) / LANE_QUERIES) : 1,
    );
  }

  /**
   * @param decodeRows the first rows of the step, one a decoding sequence
   * @param splits parts their contexts are cut into
   * @param tiles tiles of prefill rows
   */
  record(pass: GPUComputePassEncoder, decodeRows: number, splits: number, tiles: number): void {
    recordDispatch(pass, this.prefill, tiles, this.heads, this.groupsPerTile);
    recordDispatch(pass, this.split, splits, this.kvHeads, decodeRows);
    // A context in one part is finished where it is made.
    if (splits > 1) recordDispatch(pass, this.reduce, this.heads, decodeRows);
  }
}
