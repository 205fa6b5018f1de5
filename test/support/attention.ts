import type { Gpu } from '../../src/gpu/gpu.js';
import { paddedHeadDim, type HeadShape, type KvStored } from '../../src/kernels/attention/shape.js';
import { decodeAttentionVariants, partialBytes, type AttentionWidth } from '../../src/kernels/attention/decode.js';
import { AttentionKernel, type PrefillAttentionVariant } from '../../src/kernels/attention/kernel.js';
import { paddedColumns } from '../../src/kernels/weights.js';
import type { Chunk, DecodeStep } from '../kernels/attention/cases.js';
import { random } from '../reference/compare.js';
import * as reference from '../reference/ops.js';
import { poisoned, readWords, storageOf, strided, submit, touchedOutside, unstrided } from './buffers.js';
import { fromHalves } from './matmul-many.js';
import { blockTables, cacheOf, pairedHeads, scattered, storedHeads } from './paged.js';
import { rowsBuffer, stepUniform, type StepHead, type TestRow } from './step.js';
import { rounded } from './weights.js';

/** Heads, and how many tokens a token sees, itself included; all before it when absent. */
export type WindowedShape = HeadShape & { readonly window?: number };

export interface AttentionResult {
  readonly out: Float64Array;
  readonly expected: Float64Array;
  readonly touched: number;
  /** The partial results after the launch, in words. */
  readonly partials: Uint32Array;
}

interface Launch {
  readonly head: StepHead;
  readonly tiles: readonly number[];
  /** Decode rows, splits and tiles, as `AttentionKernel.record` takes them. */
  readonly grid: readonly [number, number, number];
  readonly splits: number;
}

/** Runs the kernels of some chunks, the slots in reverse order of the sequences, and the reference beside them. */
async function run(
  gpu: Gpu,
  shape: WindowedShape,
  kv: KvStored,
  chunks: readonly Chunk[],
  launch: Launch,
  how: { readonly width?: AttentionWidth; readonly prefill?: PrefillAttentionVariant },
  broken?: 'keys' | 'values',
) {
  const { heads, kvHeads, headDim, window } = shape;
  const lengths = chunks.map(({ context, newTokens }) => context + newTokens);
  // A sequence has its numbers whoever runs beside it.
  const rngs = lengths.map((length, i) => random(headDim * 100 + length + 31 * i));
  const placement = scattered(lengths, headDim);
  const slots = chunks.map((_, i) => chunks.length - i);
  // Scores of a few units, so that the softmax is neither flat nor one key's.
  const made = lengths.map((length, i) => ({
    keys: storedHeads(rngs[i].normal(length * kvHeads * headDim, 1.5), headDim, kv),
    values: storedHeads(rngs[i].normal(length * kvHeads * headDim), headDim, kv),
  }));
  if (broken !== undefined) made[0][broken].fill(NaN, 0, headDim);
  const rows: TestRow[] = [];
  const expected: number[] = [];
  const asked: number[] = [];
  chunks.forEach(({ context, newTokens }, i) => {
    const positions = Array.from({ length: newTokens }, (_, j) => context + j);
    const q = rounded(rngs[i].normal(newTokens * heads * headDim, 1.5), 'f32');
    asked.push(...q);
    expected.push(...reference.attention(q, made[i].keys, made[i].values, positions, shape, window));
    for (const position of positions) rows.push({ position, slot: slots[i], kvIndex: placement.kvIndex(i, position) });
  });
  const width = heads * headDim;
  const outStride = paddedColumns(width);
  // A variant that writes rows in f16 has two numbers in a word.
  const half = how.prefill?.defines.half_rows === true;
  const perWord = half ? 2 : 1;
  const out = poisoned(gpu, 'out', ((rows.length + 1) * outStride) / perWord);
  const padded = paddedHeadDim(headDim);
  const joins = how.width !== undefined && decodeAttentionVariants(shape, kv, how.width, gpu.capabilities).split.joins;
  const partialWords = partialBytes(shape, rows.length, launch.splits) / 4;
  const partials = joins
    ? storageOf(gpu, 'partials', new Uint32Array(partialWords))
    : poisoned(gpu, 'partials', partialWords);
  const kernel = await AttentionKernel.create(gpu, {
    ...{ operation: 'attention', shape, kv, out, outStride, window },
    ...how,
    ...(half ? { halfOut: out } : {}),
    step: stepUniform(gpu, { ...launch.head, tokens: rows.length, blocksPerSlot: placement.blocksPerSlot }),
    rows: rowsBuffer(gpu, rows),
    tiles: storageOf(gpu, 'tiles', Uint32Array.from(launch.tiles.map((word, i) => (i % 4 === 2 ? slots[word] : word)))),
    blockTables: blockTables(gpu, placement, slots),
    queries: storageOf(gpu, 'queries', strided(pairedHeads(Float64Array.from(asked), headDim), headDim, padded)),
    keys: cacheOf(
      gpu,
      shape,
      kv,
      placement,
      made.map(({ keys }) => pairedHeads(keys, headDim)),
    ),
    values: cacheOf(
      gpu,
      shape,
      kv,
      placement,
      made.map(({ values }) => values),
    ),
    partials,
  });
  submit(gpu, (pass) => kernel.record(pass, ...launch.grid));
  const words = await readWords(gpu, out);
  const numbers = half ? fromHalves(words) : new Float32Array(words.buffer);
  return {
    out: unstrided(numbers, rows.length, width, outStride),
    expected: Float64Array.from(expected),
    touched: touchedOutside(words, rows.length, width / perWord, outStride / perWord),
    partials: (await readWords(gpu, partials)).subarray(0, partialWords),
  };
}

export function runPrefill(
  gpu: Gpu,
  shape: WindowedShape,
  kv: KvStored,
  chunks: readonly Chunk[],
  prefill: PrefillAttentionVariant,
): Promise<AttentionResult> {
  const most = prefill.queries;
  const tiles: number[] = [];
  let firstRow = 0;
  chunks.forEach(({ context, newTokens }, i) => {
    for (let at = 0; at < newTokens; at += most) {
      tiles.push(firstRow + at, Math.min(most, newTokens - at), i, context + at);
    }
    firstRow += newTokens;
  });
  const count = tiles.length / 4;
  return run(gpu, shape, kv, chunks, { head: { tiles: count }, tiles, grid: [0, 0, count], splits: 1 }, { prefill });
}

/** @param broken the first head that the first sequence has of these in the cache is NaN */
export function runDecode(
  gpu: Gpu,
  shape: WindowedShape,
  kv: KvStored,
  step: DecodeStep,
  width: AttentionWidth,
  broken?: 'keys' | 'values',
): Promise<AttentionResult> {
  const { contexts, splits, splitTokens } = step;
  const chunks = contexts.map((length) => ({ context: length - 1, newTokens: 1 }));
  const decodeRows = contexts.length;
  const head = { decodeRows, splits, splitTokens };
  return run(
    gpu,
    shape,
    kv,
    chunks,
    { head, tiles: [0, 0, 0, 0], grid: [decodeRows, splits, 0], splits },
    { width },
    broken,
  );
}
