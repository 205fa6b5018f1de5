import type { BatchShape } from '../../model/operations.js';
import { memoryOf } from '../hardware/memory.js';
import { phaseSummary, type PhaseSummary } from '../predict/phase-summary.js';
import type { Predictor } from '../predict/predictor.js';

/** What runs beside the chunks. */
export interface ChunkLoad {
  /** Sequences that decode, and tokens that each has in the cache. */
  readonly decoding: number;
  readonly context: number;
  /** Tokens of the prompt that is cut into chunks. */
  readonly promptTokens: number;
}

/** Steps of decoding sequences that each carry one chunk of a prompt. */
export interface ChunkRow {
  /** Prompt tokens a step; 0 where nothing but decoding runs. */
  readonly chunk: number;
  /** Gap between tokens of who decodes: the mean over the prompt's steps, and the longest of them. */
  readonly itlSeconds: number;
  readonly itlWorstSeconds: number;
  /** The linear layers alone at the peaks of both ceilings: no step is shorter. */
  readonly floorSeconds: number;
  readonly prefillTokensPerSecond: number;
  /** Of the prompt, from its first chunk to its last; undefined where no prompt runs. */
  readonly ttftSeconds: number | undefined;
  readonly bottleneck: PhaseSummary['bottleneck'];
}

/** Sequences that decode beside a prompt where nobody says how many. */
const DECODING = 128;

/**
 * As many as that, or the largest power of two below it that memory holds with the prompt. Where not even one fits the
 * question is about time alone, and memory is left out of it.
 */
export function decodingThatFits(predictor: Predictor, context: number, promptTokens: number): number {
  const holds = (decoding: number): boolean => memoryOf(predictor, context + promptTokens / decoding, decoding).fits;
  for (let decoding = DECODING; decoding >= 1; decoding /= 2) if (holds(decoding)) return decoding;
  return DECODING;
}

function stepOf({ decoding, context }: ChunkLoad, chunk: number, done: number, last: boolean): BatchShape {
  const sequences: BatchShape['sequences'][number][] = Array.from({ length: decoding }, () => ({
    newTokens: 1,
    context,
  }));
  if (chunk > 0) sequences.push({ newTokens: chunk, context: done, prefill: true });
  return { sequences, logitRows: decoding + (last ? 1 : 0) };
}

/** Seconds that reading the matrices once, or multiplying by them, takes at the peak of its ceiling; the longer one. */
function floorOf(predictor: Predictor, step: BatchShape): number {
  const { pricer, hardware } = predictor;
  let [flops, bytes] = [0, 0];
  for (const { operation, count } of predictor.parts(step)) {
    if (operation.kind !== 'matmul') continue;
    flops += count * operation.flops;
    bytes += count * operation.weightBytes;
  }
  return Math.max(flops / pricer.peak.rate, bytes / hardware.bandwidth);
}

/**
 * How long those wait who decode while a prompt is processed in chunks of each size, one chunk a step.
 *
 * @param chunks prompt tokens a step; above the prompt's length the whole prompt is one chunk
 */
export function chunkLatency(predictor: Predictor, load: ChunkLoad, chunks: readonly number[]): ChunkRow[] {
  return chunks.map((size) => {
    const chunk = Math.min(size, load.promptTokens);
    const steps: BatchShape[] = [];
    for (let done = 0; chunk > 0 && done < load.promptTokens; done += chunk) {
      const part = Math.min(chunk, load.promptTokens - done);
      steps.push(stepOf(load, part, done, done + part === load.promptTokens));
    }
    if (steps.length === 0) steps.push(stepOf(load, 0, 0, false));
    const seconds = steps.map((step) => predictor.stepSeconds(step));
    const total = seconds.reduce((sum, each) => sum + each, 0);
    return {
      chunk: size,
      itlSeconds: total / steps.length,
      itlWorstSeconds: Math.max(...seconds),
      floorSeconds: floorOf(predictor, steps[0]),
      prefillTokensPerSecond: chunk === 0 ? 0 : load.promptTokens / total,
      ttftSeconds: chunk === 0 ? undefined : total,
      bottleneck: phaseSummary(predictor, steps, total).bottleneck,
    };
  });
}
