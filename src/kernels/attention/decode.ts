import type { Capabilities } from '../../gpu/capabilities.js';
import { LANE_QUERIES, lanesKernel } from './lanes.js';
import { rowsKernel } from './rows.js';
import { DECODE_TILE, attentionDefines, kvDefines, MOST_PARTS, type HeadShape, type KvStored } from './shape.js';
import { runsOn, TOLERANCE, variantOf, type Variant } from '../variant.js';
import { laneRows } from '../weights.js';

/**
 * How the threads share the work. `rows` asks for as much at once as a GPU's memory needs, and joins the parts of a
 * context in the same launch; `wide` fills a GPU's workgroup, without subgroups; `narrow` is one subgroup or little more,
 * for drivers that run shaders on the CPU, where a barrier costs more the more threads it holds; `lanes` is one subgroup
 * whose lanes have keys of their own and show each other what they loaded, for such drivers where they have subgroups.
 */
export type AttentionWidth = 'rows' | 'wide' | 'narrow' | 'lanes';

/** Tokens of the parts that a decoding context is cut into at least, where nothing was measured. */
export function usualSplitTokens(capabilities: Capabilities): number {
  if (capabilities.isCpu) return 256;
  // Parts that `rows` joins cost no launch, so they may be as small as fills the GPU.
  return capabilities.subgroups ? DECODE_TILE : 2 * DECODE_TILE;
}

/**
 * Tokens of the parts of contexts of up to `longest` tokens: at least `least`, whole tiles, and so many that there are
 * no more than `mostParts`.
 */
export function partTokens(longest: number, least: number, mostParts = MOST_PARTS): number {
  return Math.max(least, Math.ceil(longest / mostParts / DECODE_TILE) * DECODE_TILE);
}

/** A way to make attention of decode rows. */
export interface DecodeAttentionVariant extends Variant {
  /** Query heads of a workgroup. */
  readonly heads: number;
  /** Parts of a context are joined in the same launch; others need `reduce`. */
  readonly joins: boolean;
}

/** The ways to make attention of decode rows that are worth trying on an adapter, best first. */
export function decodeWidths(shape: HeadShape, kv: KvStored, capabilities: Capabilities): AttentionWidth[] {
  const lanes = laneRows(capabilities) > 1 && shape.heads / shape.kvHeads <= LANE_QUERIES;
  const widths: AttentionWidth[] = capabilities.isCpu
    ? [...(lanes ? (['lanes'] as const) : []), 'narrow', 'wide']
    : ['rows', 'wide', 'narrow'];
  return widths.filter((width) => runsOn(splitVariant(shape, kv, width, capabilities), capabilities));
}

export function decodeAttentionVariants(
  shape: HeadShape,
  kv: KvStored,
  width: AttentionWidth,
  capabilities: Capabilities,
): { split: DecodeAttentionVariant; reduce: Variant } {
  return {
    split: splitVariant(shape, kv, width, capabilities),
    reduce: variantOf({
      name: 'reduce',
      shader: 'attention/attention_reduce.wgsl',
      bindings: 'uurrw',
      defines: {
        // Heads of queries, a workgroup each.
        HEADS: shape.heads,
        // Pairs of numbers in a head.
        HALF: shape.headDim / 2,
        // A token sees the last of those before it only: `withWindow` sets it.
        window: false,
      },
      tolerance: TOLERANCE.softmax,
      needs: [],
    }),
  };
}

function splitVariant(
  shape: HeadShape,
  kv: KvStored,
  width: AttentionWidth,
  capabilities: Capabilities,
): DecodeAttentionVariant {
  const heads = shape.heads / shape.kvHeads;
  if (width === 'rows') return rowsKernel(shape, kv, capabilities);
  if (width === 'lanes') {
    return { ...lanesKernel(shape, kv, heads, true, capabilities), heads, joins: false };
  }
  return variantOf({
    name: `split-${width}`,
    shader: 'attention/attention_decode.wgsl',
    bindings: 'uurrrrrww',
    defines: {
      ...attentionDefines(shape),
      ...kvDefines(kv),
      // Of a workgroup.
      THREADS: width === 'wide' ? DECODE_TILE : 8,
      // Loops stay loops: what a CPU driver unrolls it compiles for long.
      rolled: width === 'narrow' && capabilities.isCpu,
    },
    heads,
    joins: false,
    tolerance: TOLERANCE.softmax,
    needs: [],
  });
}

/** Bytes of the partial results of `rows` decode rows cut into at most `splits` parts, and of the counts of parts. */
export function partialBytes(shape: HeadShape, rows: number, splits: number): number {
  return rows * shape.heads * (splits * (shape.headDim / 2 + 1) * 8 + 4);
}
