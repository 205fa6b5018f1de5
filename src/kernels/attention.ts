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

/** Tokens of the parts that a decoding context is cut into at least, where nothing was measured. */
export function usualSplitTokens(capabilities: Capabilities): number {
  return capabilities.isCpu ? 256 : 128;
}

/** The variants of attention by name, as measuring chose them. */
export interface AttentionChoice {
  readonly prefill: string;
  readonly decode: string;
  /**
   * Fewest tokens of a part, a multiple of `DECODE_TILE`. One number for an engine's life: parts are summed apart, so a
   * length that varied with the batch would change a sequence's numbers.
   */
  readonly splitTokens: number;
}

/** The usual width first. */
function widths(capabilities: Capabilities): AttentionWidth[] {
  if (!capabilities.isCpu) return ['wide', 'narrow'];
  return laneRows(capabilities) > 1 ? ['lanes', 'narrow', 'wide'] : ['narrow', 'wide'];
}

/** Every way to run attention on an adapter, by phase, best guess first. */
export function attentionVariants(
  shape: HeadShape,
  kv: KvStored,
  capabilities: Capabilities,
): { prefill: Variant[]; decode: Variant[] } {
  return {
    prefill: widths(capabilities).map((width) => prefillAttentionVariant(shape, kv, width, capabilities)),
    decode: widths(capabilities).map((width) => decodeAttentionVariants(shape, kv, width, capabilities).split),
  };
}

/** Rows of queries that share the keys and values a subgroup loads; more would spill. */
const LANE_QUERIES = 8;
const LANES_SHADER = 'attention_lanes.wgsl';

function laneKernel(shape: HeadShape, kv: KvStored, capabilities: Capabilities, phase: 'prefill' | 'decode'): Variant {
  const lanes = laneRows(capabilities);
  const decode = phase === 'decode';
  const rows = decode ? shape.heads / shape.kvHeads : LANE_QUERIES;
  return {
    name: `${decode ? 'split' : 'flash'}-lanes`,
    shader: LANES_SHADER,
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
  /** Variants by name, in place of those of `width`. */
  readonly choice?: Partial<Pick<AttentionChoice, 'prefill' | 'decode'>>;
}

function named(variants: readonly Variant[], name: string | undefined, otherwise: Variant): Variant {
  if (name === undefined) return otherwise;
  const found = variants.find((variant) => variant.name === name);
  if (found === undefined) throw new Error(`attention variant ${name} does not exist on this adapter`);
  return found;
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
    const { capabilities } = gpu;
    const variants = decodeAttentionVariants(shape, spec.kv, width, capabilities);
    const all = attentionVariants(shape, spec.kv, capabilities);
    const usualPrefill = prefillAttentionVariant(shape, spec.kv, width, capabilities);
    const chosenPrefill = named(all.prefill, spec.choice?.prefill, usualPrefill);
    const [prefill, split, reduce] = await Promise.all([
      gpu.pipelines.get(chosenPrefill),
      gpu.pipelines.get(named(all.decode, spec.choice?.decode, variants.split)),
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
      chosenPrefill.shader === LANES_SHADER ? Math.ceil(queriesPerTile(shape.headDim) / LANE_QUERIES) : 1,
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
