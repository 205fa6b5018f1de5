import type { BatchSequence, BatchShape } from '../model/operations.js';
import type { Predictor } from '../roofline/predict/predictor.js';
import type { MachineCounts } from './machine.js';

/** Sums over steps that work is linear in. */
export type StepTotals = Pick<
  MachineCounts,
  'steps' | 'promptTokens' | 'decodedTokens' | 'logitRows' | 'keys' | 'pairs'
>;

/** What a machine's chips have computed and moved, and how long that takes at the rates of the data sheet. */
export interface Work {
  readonly flops: number;
  readonly bytes: number;
  readonly computeSeconds: number;
  readonly memorySeconds: number;
}

interface Pair {
  readonly flops: number;
  readonly bytes: number;
}
const minus = (a: Pair, b: Pair, by: number): Pair => ({
  flops: (a.flops - b.flops) / by,
  bytes: (a.bytes - b.bytes) / by,
});

/**
 * FLOPs and bytes of steps by their sums, all chips of a machine together: what a step costs alone, and what each row,
 * row of logits, key and pair adds, each read off two steps that differ in nothing else. Exact for models whose layers
 * read all their weights in every step; with routed experts a step reads more of them the more rows it has, and the
 * weights are those of the step with `rows` rows.
 */
export class WorkOf {
  readonly #step: Pair;
  readonly #row: Pair;
  readonly #logits: Pair;
  readonly #key: Pair;
  readonly #peak: number;
  readonly #bandwidth: number;

  constructor(predictor: Predictor, rows = 64) {
    const at = (tokens: number, context: number, logitRows: number): Pair => {
      const sequences = Array.from({ length: tokens }, (): BatchSequence => ({ newTokens: 1, context }));
      return sumOf(predictor, { sequences, logitRows });
    };
    const FAR = 2 ** 14;
    this.#key = minus(at(rows, FAR, 1), at(rows, 0, 1), rows * FAR);
    this.#row = minus(at(rows, 0, 1), at(rows / 2, 0, 1), rows / 2);
    this.#logits = minus(at(rows, 0, rows), at(rows, 0, 1), rows - 1);
    const one = at(rows, 0, 1);
    const of = (value: keyof Pair): number => one[value] - rows * this.#row[value] - this.#logits[value];
    this.#step = { flops: of('flops'), bytes: of('bytes') };
    // A row reads its own key, which is counted with the keys.
    this.#row = minus(this.#row, this.#key, 1);
    const { peak } = predictor.pricer;
    this.#peak = predictor.chips * peak.rate;
    this.#bandwidth = predictor.chips * predictor.hardware.bandwidth;
  }

  of({ steps, promptTokens, decodedTokens, logitRows, keys, pairs }: StepTotals): Work {
    const rows = promptTokens + decodedTokens;
    const sum = (value: keyof Pair, seen: number): number =>
      steps * this.#step[value] + rows * this.#row[value] + logitRows * this.#logits[value] + seen * this.#key[value];
    // Attention computes by pairs and reads by keys.
    const [flops, bytes] = [sum('flops', pairs), sum('bytes', keys)];
    return { flops, bytes, computeSeconds: flops / this.#peak, memorySeconds: bytes / this.#bandwidth };
  }
}

function sumOf(predictor: Predictor, step: BatchShape): Pair {
  let [flops, bytes] = [0, 0];
  for (const { operation, count } of predictor.parts(step)) {
    const { weightBytes, activationBytes, kvReadBytes, kvWriteBytes } = operation;
    flops += predictor.shards * count * operation.flops;
    bytes += predictor.shards * count * (weightBytes + activationBytes + kvReadBytes + kvWriteBytes);
  }
  return { flops, bytes };
}

/** The sums of several machines together. */
export function sumsOf(machines: readonly StepTotals[]): StepTotals {
  const sum = (value: keyof StepTotals): number => machines.reduce((total, each) => total + each[value], 0);
  return {
    steps: sum('steps'),
    promptTokens: sum('promptTokens'),
    decodedTokens: sum('decodedTokens'),
    logitRows: sum('logitRows'),
    keys: sum('keys'),
    pairs: sum('pairs'),
  };
}
