import { memoryOf } from '../hardware/memory.js';
import type { Predictor } from '../predict/predictor.js';

/** Decoding on two platforms at one batch. */
export interface OvertakeRow {
  readonly batch: number;
  /** Tokens a second of all sequences. */
  readonly tokensPerSecond: readonly [number, number];
  /** Gap between tokens of one sequence. */
  readonly stepSeconds: readonly [number, number];
}

export interface Overtake {
  readonly context: number;
  /** Most sequences each runs at once; those above it take turns. */
  readonly largest: readonly [number, number];
  /** Which is ahead with one sequence, 0 or 1. */
  readonly first: 0 | 1;
  /** Fewest sequences with which the other one makes more tokens a second; undefined where it never does. */
  readonly batch: number | undefined;
  readonly rows: readonly OvertakeRow[];
}

/**
 * From which batch on one platform decodes more tokens a second than the other. A platform that holds no more
 * sequences, or serves no more at once, keeps the throughput it has there.
 *
 * @param most the largest batch to consider
 */
export function overtake(pair: readonly [Predictor, Predictor], context: number, most: number): Overtake {
  const largest = pair.map((each) => {
    return Math.max(1, Math.min(most, memoryOf(each, context, 1).largestBatch ?? most));
  }) as [number, number];
  const at = (batch: number): OvertakeRow => {
    const steps = pair.map((each, i) => each.decodeStepSeconds(context, Math.min(batch, largest[i])));
    return {
      batch,
      // Sequences that take turns wait for their turn.
      stepSeconds: steps.map((each, i) => each * Math.max(1, batch / largest[i])) as [number, number],
      tokensPerSecond: steps.map((each, i) => Math.min(batch, largest[i]) / each) as [number, number],
    };
  };
  const batches: number[] = [];
  for (let batch = 1; batch <= most; batch *= 2) batches.push(batch);
  if (batches.at(-1) !== most) batches.push(most);
  const rows = batches.map(at);
  const first = rows[0].tokensPerSecond[0] >= rows[0].tokensPerSecond[1] ? 0 : 1;
  const passes = ({ tokensPerSecond }: OvertakeRow) => tokensPerSecond[1 - first] > tokensPerSecond[first];
  const found = rows.findIndex(passes);
  let batch: number | undefined;
  if (found > 0) {
    let [below, above] = [batches[found - 1], batches[found]];
    while (above - below > 1) {
      const middle = Math.floor((below + above) / 2);
      if (passes(at(middle))) above = middle;
      else below = middle;
    }
    batch = above;
  }
  return { context, largest, first, batch, rows };
}
