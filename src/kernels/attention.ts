import type { Capabilities } from '../gpu/capabilities.js';
import type { BufferRange, Gpu } from '../gpu/gpu.js';
import { recordDispatch, type Dispatch } from '../gpu/recorder.js';
import { headDefines, kvDefines, paddedHeadDim, type HeadShape, type KvStored } from './attention-shape.js';
import {
  decodeAttentionVariants,
  decodeWidths,
  type AttentionWidth,
  type DecodeAttentionVariant,
} from './attention-decode.js';
import { LANE_QUERIES, lanesKernel } from './attention-lanes.js';
import { matrixAttentionVariants } from './attention-matrix.js';
import { MOST_TURNS } from './subgroup-matrix.js';
import { runsOn, type Variant } from './variant.js';

/** Rows of one sequence that a workgroup of the portable prefill attention makes, bounded by workgroup memory. */
function queriesPerTile(headDim: number): number {
  return paddedHeadDim(headDim) > 128 ? 8 : 16;
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

/** A way to make attention of prompts; its tiles are part of the step, so a model chooses it once. */
export interface PrefillAttentionVariant extends Variant {
  /** Most rows of one sequence in a tile. */
  readonly queries: number;
  /** Query heads that a workgroup makes. */
  readonly heads: number;
  /** Queries and the softmax's weights are rounded to f16. */
  readonly roundsActivations?: boolean;
}

function flash(shape: HeadShape, kv: KvStored, width: 'wide' | 'narrow', half: boolean): PrefillAttentionVariant {
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
      half_rows: half,
      MOST_TURNS,
    },
    queries,
    heads: 1,
    runs: () => true,
  };
}

/**
 * Every way to make attention of prompts on an adapter, best first.
 *
 * @param half whether rows are written in f16, which kernels for CPU drivers do not do
 */
export function prefillAttentionVariants(
  shape: HeadShape,
  kv: KvStored,
  capabilities: Capabilities,
  half = false,
): PrefillAttentionVariant[] {
  const matrix = matrixAttentionVariants(shape, kv, capabilities, half);
  const [wide, narrow] = [flash(shape, kv, 'wide', half), flash(shape, kv, 'narrow', half)];
  const lanes = {
    ...lanesKernel(shape, kv, LANE_QUERIES, false, capabilities),
    name: 'flash-lanes',
    queries: LANE_QUERIES,
    heads: 1,
  };
  const all = capabilities.isCpu ? [...(half ? [] : [lanes]), narrow, wide, ...matrix] : [...matrix, wide, narrow];
  return all.filter((variant) => runsOn(variant, capabilities));
}

/** Every way to run attention on an adapter, by phase, best guess first. @param half whether prompts' rows are written in f16 */
export function attentionVariants(
  shape: HeadShape,
  kv: KvStored,
  capabilities: Capabilities,
  half = false,
): { prefill: PrefillAttentionVariant[]; decode: DecodeAttentionVariant[] } {
  return {
    prefill: prefillAttentionVariants(shape, kv, capabilities, half),
    decode: decodeWidths(shape, kv, capabilities).map(
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
  /** `partialBytes`, all zero at first. */
  readonly partials: GPUBuffer;
  /** [tokens][outStride] f32. */
  readonly out: GPUBuffer;
  /** Where rows of prompts go in f16, [tokens][outStride], in place of `out`. */
  readonly halfOut?: GPUBuffer;
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
    /** Workgroups along the heads. */
    private readonly groups: { readonly prefill: number; readonly decode: number },
    private readonly prefill: Dispatch,
    private readonly split: Dispatch,
    /** Where parts are not joined by the launch that makes them. */
    private readonly reduce: Dispatch | undefined,
  ) {}

  static async create(gpu: Gpu, spec: AttentionSpec): Promise<AttentionKernel> {
    const { operation, shape } = spec;
    const width = spec.width ?? decodeWidths(shape, spec.kv, gpu.capabilities)[0];
    const half = spec.halfOut !== undefined;
    const prefillVariant = spec.prefill ?? prefillAttentionVariants(shape, spec.kv, gpu.capabilities, half)[0];
    const variants = decodeAttentionVariants(shape, spec.kv, width, gpu.capabilities);
    const decode =
      spec.decode === undefined
        ? variants.split
        : namedAttention(attentionVariants(shape, spec.kv, gpu.capabilities).decode, spec.decode);
    const [prefill, split, reduce] = await Promise.all([
      gpu.pipelines.get(prefillVariant),
      gpu.pipelines.get(decode),
      decode.joins ? undefined : gpu.pipelines.get(variants.reduce),
    ]);
    const words = new ArrayBuffer(16);
    new Float32Array(words)[0] = 1 / Math.sqrt(shape.headDim);
    new Uint32Array(words).set([spec.outStride / 2, paddedHeadDim(shape.headDim) / 8], 1);
    const params = gpu.uniform(`${operation} params`, words);
    const cache = [spec.blockTables, spec.queries, spec.keys, spec.values];
    return new AttentionKernel(
      shape.heads,
      { prefill: shape.heads / prefillVariant.heads, decode: shape.heads / decode.heads },
      {
        pipeline: prefill,
        bindGroup: gpu.bindGroup(prefill, operation, [
          spec.step,
          params,
          spec.tiles,
          ...cache,
          spec.halfOut ?? spec.out,
        ]),
      },
      {
        pipeline: split,
        bindGroup: gpu.bindGroup(split, operation, [spec.step, params, spec.rows, ...cache, spec.partials, spec.out]),
      },
      reduce && {
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
    recordDispatch(pass, this.prefill, tiles, this.groups.prefill);
    recordDispatch(pass, this.split, splits, this.groups.decode, decodeRows);
    // A context in one part is finished where it is made.
    if (splits > 1 && this.reduce !== undefined) recordDispatch(pass, this.reduce, this.heads, decodeRows);
  }
}
