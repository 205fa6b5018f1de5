import type { Gpu } from '../../gpu/gpu.js';
import type { Timed } from '../../gpu/stopwatch.js';
import { BLOCK_TOKENS, kvBlockBytes, paddedHeadDim, type HeadShape, type KvStored } from './shape.js';
import { partialBytes, partTokens } from './decode.js';
import { AttentionKernel, prefillAttentionVariants } from './kernel.js';
import { selectVariant } from '../variant.js';
import { fillSynthetic } from '../synthetic/kernel.js';
import { paddedColumns } from '../weights.js';
import { trialFloats, trialStep } from '../trial-step.js';

/** New rows over tokens that are in the cache: `sequences` of one token each (decode), or a chunk of one (prefill). */
export interface AttentionCase {
  readonly phase: 'decode' | 'prefill';
  readonly shape: HeadShape;
  readonly kv: KvStored;
  /** Decoding sequences, or new tokens of the chunk. */
  readonly rows: number;
  /** Tokens in the cache before, of each sequence. */
  readonly context: number;
  /** Rows of prompts are written in f16. */
  readonly half?: boolean;
  /** Tokens that a token sees, itself included; all before it when absent. */
  readonly window?: number;
}

/** Random keys and values in several copies, block tables in order, and queries. */
export interface AttentionTrialData {
  readonly test: AttentionCase;
  readonly caches: readonly { readonly keys: GPUBuffer; readonly values: GPUBuffer }[];
  readonly blocksPerSlot: number;
  readonly rows: GPUBuffer;
  readonly blockTables: GPUBuffer;
  readonly queries: GPUBuffer;
  readonly out: GPUBuffer;
}

function words(gpu: Gpu, label: string, values: Uint32Array<ArrayBuffer>): GPUBuffer {
  const buffer = gpu.storage(label, Math.max(16, values.byteLength));
  gpu.queue.writeBuffer(buffer, 0, values);
  return buffer;
}

/** Block heads of a quantised cache that are made on the host; the cache repeats them. */
const MOST_DIFFERENT = 1024;

/** Fills a quantised cache with random quants; a scale is up to a half larger or smaller than its neighbours. */
function fillQuants(gpu: Gpu, buffer: GPUBuffer, headDim: number, amplitude: number): void {
  const padded = paddedHeadDim(headDim);
  const quantWords = (BLOCK_TOKENS * padded) / 4;
  const each = quantWords + BLOCK_TOKENS;
  const count = Math.min(MOST_DIFFERENT, buffer.size / (4 * each));
  const words = new Uint32Array(count * each);
  const scales = new Float32Array(words.buffer);
  let state = 0x2545f491;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    if (i % each < quantWords) words[i] = state ^ (state << 13);
    else scales[i] = (amplitude / 127) * (0.5 + state / 2 ** 32);
  }
  for (let row = 0; row < count * BLOCK_TOKENS; row++) {
    const begin = Math.floor(row / BLOCK_TOKENS) * each * 4 + (row % BLOCK_TOKENS) * padded;
    new Uint8Array(words.buffer, begin + headDim, padded - headDim).fill(0);
  }
  for (let at = 0; at < buffer.size; at += words.byteLength) {
    gpu.queue.writeBuffer(buffer, at, words, 0, Math.min(words.length, (buffer.size - at) / 4));
  }
}

/** Makes the data. Free it with `gpu.scoped`. @param workingBytes that the copies of the cache make up at least */
export async function attentionTrialData(
  gpu: Gpu,
  test: AttentionCase,
  workingBytes: number,
): Promise<AttentionTrialData> {
  const { phase, shape, kv, rows, context } = test;
  const sequences = phase === 'decode' ? rows : 1;
  const length = phase === 'decode' ? context + 1 : context + rows;
  const blocksPerSlot = Math.ceil(length / BLOCK_TOKENS);
  const blocks = sequences * blocksPerSlot;
  const padded = paddedHeadDim(shape.headDim);
  const bytes = blocks * kvBlockBytes(shape, kv);
  const count = Math.min(64, Math.max(1, Math.ceil(workingBytes / (2 * bytes))));
  const filled = async (label: string, seed: number, amplitude: number): Promise<GPUBuffer> => {
    const buffer = gpu.storage(label, bytes);
    if (kv === 'int8') {
      fillQuants(gpu, buffer, shape.headDim, amplitude);
      return buffer;
    }
    const cacheRows = blocks * shape.kvHeads * BLOCK_TOKENS;
    await fillSynthetic(
      gpu,
      {
        ...{ name: label, rows: cacheRows, cols: shape.headDim, stride: padded, dtype: kv, lanes: 1 },
        parts: [{ buffer, rowBegin: 0, rows: cacheRows }],
      },
      seed,
      amplitude,
    );
    return buffer;
  };
  const caches = [];
  for (let i = 0; i < count; i++) {
    // Keys large enough that the softmax is neither flat nor one key's.
    caches.push({ keys: await filled('trial keys', 1, 4), values: await filled('trial values', 2, 1) });
  }
  const table = Uint32Array.from({ length: blocks }, (_, i) => i);
  const rowWords: number[] = [];
  for (let row = 0; row < rows; row++) {
    const slot = phase === 'decode' ? row : 0;
    const position = phase === 'decode' ? context : context + row;
    rowWords.push(0, position, slot, slot * blocksPerSlot * BLOCK_TOKENS + position);
  }
  return {
    test,
    caches,
    blocksPerSlot,
    rows: words(gpu, 'trial rows', Uint32Array.from(rowWords)),
    blockTables: words(gpu, 'trial block tables', table),
    queries: trialFloats(gpu, 'trial queries', rows * shape.heads * padded),
    out: gpu.storage('trial result', rows * paddedColumns(shape.heads * shape.headDim) * 4),
  };
}

/**
 * @param variant the name of one for the case's phase
 * @param leastSplitTokens fewest tokens of the parts that a decoding context is cut into
 */
export async function attentionTrial(
  gpu: Gpu,
  data: AttentionTrialData,
  variant: string,
  leastSplitTokens: number,
): Promise<Timed> {
  const { phase, shape, kv, rows, context, half = false, window } = data.test;
  const decode = phase === 'decode';
  const all = prefillAttentionVariants(shape, kv, gpu.capabilities, half && !decode);
  const prefill = selectVariant('attention', all, gpu.capabilities, decode ? undefined : variant);
  const tileWords: number[] = [];
  for (let row = 0; row < rows && !decode; row += prefill.queries) {
    tileWords.push(row, Math.min(prefill.queries, rows - row), 0, context + row);
  }
  const tileCount = tileWords.length / 4;
  const tiles = words(gpu, 'trial tiles', Uint32Array.from(tileWords));
  const splitTokens = partTokens(context + 1, leastSplitTokens);
  const splits = decode ? Math.ceil((context + 1) / splitTokens) : 1;
  const step = trialStep(gpu, {
    tokens: rows,
    decodeRows: decode ? rows : 0,
    tiles: tileCount,
    splits,
    splitTokens,
    blocksPerSlot: data.blocksPerSlot,
  });
  const partials = gpu.storage('trial partials', decode ? partialBytes(shape, rows, splits) : 16);
  const kernels: AttentionKernel[] = [];
  for (const cache of data.caches) {
    const kernel = await AttentionKernel.create(gpu, {
      operation: `trial attention ${variant}`,
      ...{ shape, kv, step, partials, window, ...cache },
      prefill,
      decode: decode ? variant : undefined,
      rows: data.rows,
      tiles,
      blockTables: data.blockTables,
      queries: data.queries,
      out: data.out,
      halfOut: half && !decode ? data.out : undefined,
      outStride: paddedColumns(shape.heads * shape.headDim),
    });
    kernels.push(kernel);
  }
  return {
    record: (pass, turn) =>
      kernels[turn % kernels.length].record(pass, decode ? rows : 0, splits, decode ? 0 : tileCount),
  };
}
