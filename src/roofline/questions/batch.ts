import { memoryOf } from '../hardware/memory.js';
import { decodeStep } from '../predict/decode-line.js';
import type { Predictor } from '../predict/predictor.js';
import { bytesOf } from '../predict/price.js';

export interface BatchRow {
  readonly batch: number;
  readonly stepSeconds: number;
  readonly tokensPerSecond: number;
  /** What bandwidth alone would allow at its peak, and compute alone at its peak; both rise to the ideal roofline. */
  readonly bandwidthLine: number;
  readonly computeCeiling: number;
  /** Of the compute peak. */
  readonly mfu: number;
  readonly fits: boolean;
}

export interface BatchAnswer {
  readonly context: number;
  readonly rows: readonly BatchRow[];
  /**
   * The batch from which peak compute takes longer than reading the weights at peak bandwidth: peak x bytes / FLOPs a
   * token. With f16 weights it is the ridge point itself.
   */
  readonly weightKnee: number;
  /** The same with the cache counted, which every sequence reads for itself; undefined when there is none. */
  readonly knee: number | undefined;
  /** Most sequences of this length that memory holds. */
  readonly largestFit: number | undefined;
}

/** Decode throughput against the batch, with `context` tokens in the cache of every sequence. */
export function batchThroughput(predictor: Predictor, context: number, batches: readonly number[]): BatchAnswer {
  const { pricer, hardware, chips, shards } = predictor;
  const peak = chips * pricer.peak.rate;
  const bandwidth = chips * hardware.bandwidth;
  const work = (batch: number) => {
    let [flops, bytes, weightBytes, linear] = [0, 0, 0, 0];
    for (const { operation, count } of predictor.parts(decodeStep(context, batch))) {
      flops += count * shards * operation.flops;
      bytes += count * shards * bytesOf(operation);
      if (operation.kind !== 'matmul') continue;
      weightBytes += count * shards * operation.weightBytes;
      linear += count * shards * operation.flops;
    }
    return { flops, bytes, weightBytes, linear };
  };
  const one = work(1);
  const rows = batches.map((batch): BatchRow => {
    const { flops, bytes } = work(batch);
    const stepSeconds = predictor.decodeStepSeconds(context, batch);
    return {
      batch,
      stepSeconds,
      tokensPerSecond: batch / stepSeconds,
      bandwidthLine: (batch * bandwidth) / bytes,
      computeCeiling: (batch * peak) / flops,
      mfu: flops / peak / stepSeconds,
      fits: memoryOf(predictor, context, batch).fits,
    };
  });
  return {
    context,
    rows,
    weightKnee: (peak * one.weightBytes) / bandwidth / one.linear,
    knee: kneeOf(one, work(2), peak, bandwidth),
    largestFit: memoryOf(predictor, context, 1).largestBatch,
  };
}

/** Where flops(B) / peak = bytes(B) / bandwidth; both are linear in B, as far as experts are not counted. */
function kneeOf(
  one: { flops: number; bytes: number },
  two: { flops: number; bytes: number },
  peak: number,
  bandwidth: number,
): number | undefined {
  const perSequence = { flops: two.flops - one.flops, bytes: two.bytes - one.bytes };
  const fixed = { flops: one.flops - perSequence.flops, bytes: one.bytes - perSequence.bytes };
  const gain = perSequence.flops / peak - perSequence.bytes / bandwidth;
  const knee = (fixed.bytes / bandwidth - fixed.flops / peak) / gain;
  return gain > 0 ? knee : undefined;
}
