import type { Capabilities } from '../gpu/capabilities.js';
import type { BufferRange, Gpu } from '../gpu/gpu.js';
import { recordDispatch, type Dispatch } from '../gpu/recorder.js';
import { headDefines, kvDefines, paddedHeadDim, type HeadShape, type KvStored } from './attention-shape.js';
import { matrixAttentionVariants } from './attention-matrix.js';
import type { Variant } from './variant.js';
import { laneRows } from './weights.js';

/** Rows of one sequence that a workgroup of the portable prefill attention makes, bounded by workgroup memory. */
function queriesPerTile(headDim: number): number {
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

/** Rows of queries for which a subgroup of `lanes` loads keys and values once; more would spill. */
const LANE_QUERIES = 8;

/** What `attention_lanes.wgsl` is made of, for `rows` rows of queries. */
function lanesKernel(
  shape: HeadShape,
  kv: KvStored,
  rows: number,
  decode: boolean,
  capabilities: Capabilities,
): Omit<Variant, 'name'> {
  const lanes = laneRows(capabilities);
  return {
    shader: 'attention_lanes.wgsl',
    bindings: decode ? 'uurrrrrww' : 'uurrrrrw',
    defines: {
      ...headDefines(shape),
      ...kvDefines(kv),
      decode,
      rolled: true,
      LANES: lanes,
      MT: rows,
      // Few rows make little of what is loaded for them, so they score more keys with it.
      KB: rows > 4 ? 2 : 4,
      SHARES: 8 / lanes,
      LANE_PAIRS: lanes / 2,
      PART_BLOCKS: Math.ceil(shape.headDim / (kv === 'int8' ? 4 : 2) / lanes),
    },
    runs: (adapter) => lanes > 1 && laneRows(adapter) === lanes,
  };
}

/** The ways to make attention of decode rows that an adapter can run, best first. */
export function decodeWidths(shape: HeadShape, capabilities: Capabilities): AttentionWidth[] {
  const lanes = laneRows(capabilities) > 1 && shape.heads / shape.kvHeads <= LANE_QUERIES;
  const others = capabilities.isCpu ? (['narrow', 'wide'] as const) : (['wide', 'narrow'] as const);
  return lanes ? ['lanes', ...others] : [...others];
}

/** A way to make attention of prompts; its tiles are part of the step, so a model chooses it once. */
export interface PrefillAttentionVariant extends Variant {
  /** Most rows of one sequence in a tile. */
  readonly queries: number;
  /** Query heads that a workgroup makes. */
  readonly heads: number;
  /** Queries and the softmax's weights are rounded to f16. */
  readonly roundsActivations?: boolean;
}

function flash(shape: HeadShape, kv: KvStored, width: 'wide' | 'narrow'): PrefillAttentionVariant {
  const queries = queriesPerTile(shape.headDim);
  return {
    name: `flash-${width}`,
    shader: 'attention_prefill.wgsl',
    bindings: 'uurrrrrw',
    defines: {
      ...headDefines(shape),
      ...kvDefines(kv),
      QUERIES: queries,
      KEYS: 32,
      THREADS: width === 'wide' ? 64 : queries,
      alone: width === 'narrow',
      rolled: width === 'narrow',
    },
    queries,
    heads: 1,
    runs: () => true,
  };
}

/** Every way to make attention of prompts on an adapter, best first. */
export function prefillAttentionVariants(
  shape: HeadShape,
  kv: KvStored,
  capabilities: Capabilities,
): PrefillAttentionVariant[] {
  const matrix = matrixAttentionVariants(shape, kv, capabilities);
  const [wide, narrow] = [flash(shape, kv, 'wide'), flash(shape, kv, 'narrow')];
  const lanes = {
    ...lanesKernel(shape, kv, LANE_QUERIES, false, capabilities),
    name: 'flash-lanes',
    queries: LANE_QUERIES,
    heads: 1,
  };
  const all = capabilities.isCpu ? [lanes, narrow, wide, ...matrix] : [...matrix, wide, narrow];
  return all.filter((variant) => variant.runs(capabilities));
}

export function decodeAttentionVariants(
  shape: HeadShape,
  kv: KvStored,
  width: AttentionWidth,
  capabilities: Capabilities,
): { split: Variant; reduce: Variant } {
  const defines = headDefines(shape);
  const group = shape.heads / shape.kvHeads;
  return {
    split:
      width === 'lanes'
        ? { ...lanesKernel(shape, kv, group, true, capabilities), name: 'split-lanes' }
        : {
            name: `split-${width}`,
            shader: 'attention_decode.wgsl',
            bindings: 'uurrrrrww',
            defines: {
              ...defines,
              ...kvDefines(kv),
              THREADS: width === 'wide' ? DECODE_TILE : 8,
              rolled: width === 'narrow',
            },
            runs: () => true,
          },
    reduce: {
      name: 'reduce',
      shader: 'attention_reduce.wgsl',
      bindings: 'uurrw',
      defines: { HEADS: shape.heads, HALF: shape.headDim / 2 },
      runs: () => true,
    },
  };
}

/** Bytes of the partial results of `rows` decode rows cut into at most `splits` parts. */
export function partialBytes(shape: HeadShape, rows: number, splits: number): number {
  return rows * shape.heads * splits * (shape.headDim / 2 + 1) * 8;
}

/** Every way to run attention on an adapter, by phase, best guess first. */
export function attentionVariants(
  shape: HeadShape,
  kv: KvStored,
  capabilities: Capabilities,
): { prefill: PrefillAttentionVariant[]; decode: Variant[] } {
  return {
    prefill: prefillAttentionVariants(shape, kv, capabilities),
    decode: decodeWidths(shape, capabilities).map(
      (width) => decodeAttentionVariants(shape, kv, width, capabilities).split,
    ),
  };
}

/**
 * The variant of a name, or the best guess where there is none.
 *
 * @throws Error where a choice names what this adapter cannot run; whoever made it has to see to that
 */
export function namedAttention<V extends Variant>(variants: readonly V[], name: string | undefined): V {
  const found = name === undefined ? variants[0] : variants.find((variant) => variant.name === name);
  if (found === undefined) throw new Error(`attention variant ${name} does not exist on this adapter`);
  return found;
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
  /** Of decode; default: what suits the adapter. */
  readonly width?: AttentionWidth;
  /** Default: the best of the adapter. The step's tiles have at most its `queries` rows. */
  readonly prefill?: PrefillAttentionVariant;
  /** A variant of decode by name, in place of that of `width`. */
  readonly decode?: string;
}

/** Causal attention over the paged cache: decode rows split over their context, prefill rows in tiles. */
export class AttentionKernel {
  private constructor(
    private readonly heads: number,
    private readonly kvHeads: number,
    /** Workgroups along the heads in prefill. */
    private readonly headGroups: number,
    private readonly prefill: Dispatch,
    private readonly split: Dispatch,
    private readonly reduce: Dispatch,
  ) {}

  static async create(gpu: Gpu, spec: AttentionSpec): Promise<AttentionKernel> {
    const { operation, shape } = spec;
    const width = spec.width ?? decodeWidths(shape, gpu.capabilities)[0];
    const prefillVariant = spec.prefill ?? prefillAttentionVariants(shape, spec.kv, gpu.capabilities)[0];
    const variants = decodeAttentionVariants(shape, spec.kv, width, gpu.capabilities);
    const decode =
      spec.decode === undefined
        ? variants.split
        : namedAttention(attentionVariants(shape, spec.kv, gpu.capabilities).decode, spec.decode);
    const [prefill, split, reduce] = await Promise.all([
      gpu.pipelines.get(prefillVariant),
      gpu.pipelines.get(decode),
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
      shape.heads / prefillVariant.heads,
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
        bindGroup: gpu.bindGroup(reduce, operation, [spec.step, params, spec.rows, spec.partials, spec.out]),
      },
    );
  }

  /**
   * @param decodeRows the first rows of the step, generated tokens
   * @param splits parts the longest of their contexts is cut into
   * @param tiles tiles of prefill rows
   */
  record(pass: GPUComputePassEncoder, decodeRows: number, splits: number, tiles: number): void {
    recordDispatch(pass, this.prefill, tiles, this.headGroups);
    recordDispatch(pass, this.split, splits, this.kvHeads, decodeRows);
    // A context in one part is finished where it is made.
    if (splits > 1) recordDispatch(pass, this.reduce, this.heads, decodeRows);
  }
}
