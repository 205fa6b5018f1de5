import type { Capabilities } from '../../gpu/capabilities.js';
import type { BufferRange, Gpu } from '../../gpu/gpu.js';
import { record, type Dispatch } from '../../gpu/recorder.js';
import { attentionDefines, kvDefines, paddedHeadDim, type HeadShape, type KvStored } from './shape.js';
import { decodeAttentionVariants, decodeWidths, type AttentionWidth, type DecodeAttentionVariant } from './decode.js';
import { LANE_QUERIES, lanesKernel } from './lanes.js';
import { matrixAttentionVariants } from './matrix.js';
import { MOST_TURNS } from '../subgroup-matrix.js';
import { runsOn, selectVariant, TOLERANCE, variantOf, type Variant } from '../variant.js';

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
}

function flash(shape: HeadShape, kv: KvStored, width: 'wide' | 'narrow', half: boolean): PrefillAttentionVariant {
  const queries = queriesPerTile(shape.headDim);
  return variantOf({
    name: `flash-${width}`,
    shader: 'attention/attention_prefill.wgsl',
    bindings: 'uurrrrrw',
    defines: {
      ...attentionDefines(shape),
      ...kvDefines(kv),
      // Rows of a tile.
      QUERIES: queries,
      // Keys of a turn.
      KEYS: 32,
      // Of a workgroup.
      THREADS: width === 'wide' ? 64 : queries,
      // A thread has a row to itself.
      alone: width === 'narrow',
      // Loops stay loops: what a CPU driver unrolls it compiles for long.
      rolled: width === 'narrow',
      // Rows are written in f16.
      half_rows: half,
      // The bound of a loop that is left by `break`.
      MOST_TURNS,
    },
    queries,
    heads: 1,
    // Rows in f16 are rounded on their way out.
    tolerance: half ? TOLERANCE.roundedOperands : TOLERANCE.softmax,
    needs: [],
  });
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
  /** Tokens that a token sees, itself included; all before it when absent. */
  readonly window?: number;
}

/** What a variant is compiled with where a token does not see all before it. */
export function withWindow<V extends Variant>(variant: V, window: number | undefined): V {
  // `window`: a token sees the last of those before it only.
  return window === undefined ? variant : { ...variant, defines: { ...variant.defines, window: true } };
}

/** Causal attention over the paged cache: decode rows split over their context, prefill rows in tiles. */
export class AttentionKernel {
  readonly #heads: number;
  /** Workgroups along the heads. */
  readonly #groups: { readonly prefill: number; readonly decode: number };
  readonly #prefill: Dispatch;
  readonly #split: Dispatch;
  /** Where parts are not joined by the launch that makes them. */
  readonly #reduce: Dispatch | undefined;

  private constructor(
    heads: number,
    groups: { readonly prefill: number; readonly decode: number },
    prefill: Dispatch,
    split: Dispatch,
    reduce: Dispatch | undefined,
  ) {
    this.#heads = heads;
    this.#groups = groups;
    this.#prefill = prefill;
    this.#split = split;
    this.#reduce = reduce;
  }

  static async create(gpu: Gpu, spec: AttentionSpec): Promise<AttentionKernel> {
    const { operation, shape } = spec;
    const width = spec.width ?? decodeWidths(shape, spec.kv, gpu.capabilities)[0];
    const half = spec.halfOut !== undefined;
    const prefillVariant = spec.prefill ?? prefillAttentionVariants(shape, spec.kv, gpu.capabilities, half)[0];
    const variants = decodeAttentionVariants(shape, spec.kv, width, gpu.capabilities);
    const decode =
      spec.decode === undefined
        ? variants.split
        : selectVariant(
            'attention',
            attentionVariants(shape, spec.kv, gpu.capabilities).decode,
            gpu.capabilities,
            spec.decode,
          );
    const [prefill, split, reduce] = await Promise.all([
      gpu.pipelines.get(withWindow(prefillVariant, spec.window)),
      gpu.pipelines.get(withWindow(decode, spec.window)),
      decode.joins ? undefined : gpu.pipelines.get(withWindow(variants.reduce, spec.window)),
    ]);
    const words = new ArrayBuffer(16);
    new Float32Array(words)[0] = 1 / Math.sqrt(shape.headDim);
    new Uint32Array(words).set([spec.outStride / 2, paddedHeadDim(shape.headDim) / 8, spec.window ?? 0], 1);
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
    record(pass, this.#prefill, tiles, this.#groups.prefill);
    record(pass, this.#split, splits, this.#groups.decode, decodeRows);
    // A context in one part is finished where it is made.
    if (splits > 1 && this.#reduce !== undefined) record(pass, this.#reduce, this.#heads, decodeRows);
  }
}
