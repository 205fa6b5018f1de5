import type { BatchSequence, BatchShape } from '../../model/operations.js';
import { SPREAD_SHARES, type ServingKind } from '../../roofline/hardware/families.js';
import type { Predictor } from '../../roofline/predict/predictor.js';
import { randomAt } from '../random.js';
import type { StepLoad, StepPrice } from './price.js';

/**
 * The price `ridgepoint predict` gives a step. Rows that decode count at the mean of their contexts, to which attention
 * is linear. On a machine calibrated while serving steps scatter as they did there: the draw is a hash of what is in the
 * step, so the same step costs the same whoever asks, and however often.
 */
export class PredictedPrice implements StepPrice {
  /** Means of the factors by which steps of each kind scatter. */
  readonly #means: Partial<Record<ServingKind, number>>;
  readonly #predictor: Predictor;

  constructor(predictor: Predictor) {
    this.#predictor = predictor;
    const { decode, prompts } = predictor.hardware.host?.serving ?? {};
    this.#means = {
      ...(decode && { decode: meanOf(decode.spread) }),
      ...(prompts && { prompts: meanOf(prompts.spread) }),
    };
  }

  seconds(load: StepLoad): number {
    const spread = this.#predictor.hardware.host?.serving?.[kindOf(load)]?.spread;
    return this.#middle(load) * (spread === undefined ? 1 : factorAt(spread, randomAt(hashOf(load), 'steps', 0)));
  }

  expected(load: StepLoad): number {
    return this.#middle(load) * (this.#means[kindOf(load)] ?? 1);
  }

  #middle(load: StepLoad): number {
    const { decodeRows, decodeKeys, prompts, logitRows } = load;
    // A row reads its own key too, which the predictor adds to its context.
    const context = decodeRows > 0 ? decodeKeys / decodeRows - 1 : 0;
    const serving = this.#predictor.hardware.host?.serving?.[kindOf(load)] !== undefined;
    if (prompts.length === 0 && !serving) return this.#predictor.decodeStepSeconds(context, decodeRows);
    const sequences: BatchSequence[] = prompts.map(({ begin, end }) => ({
      newTokens: end - begin,
      context: begin,
      prefill: true,
    }));
    const row: BatchSequence = { newTokens: 1, context };
    for (let at = 0; at < decodeRows; at++) sequences.push(row);
    return this.#predictor.stepSeconds({ sequences, logitRows } satisfies BatchShape);
  }
}

const kindOf = ({ prompts }: StepLoad): ServingKind => (prompts.length === 0 ? 'decode' : 'prompts');

function hashOf({ decodeRows, decodeKeys, prompts, logitRows }: StepLoad): number {
  let hash = Math.imul(decodeRows, 0x9e3779b1) ^ Math.imul(Math.floor(decodeKeys), 0x85ebca77) ^ logitRows;
  for (const { begin, end } of prompts) hash = Math.imul(hash ^ begin, 0xc2b2ae3d) ^ Math.imul(end, 0x27d4eb2f);
  return hash >>> 0;
}

/** The factor at a share of steps, on lines between the quantiles that are known. */
export function factorAt(spread: readonly number[], share: number): number {
  let at = 0;
  while (at < SPREAD_SHARES.length - 2 && SPREAD_SHARES[at + 1] <= share) at++;
  const weight = (share - SPREAD_SHARES[at]) / (SPREAD_SHARES[at + 1] - SPREAD_SHARES[at]);
  return spread[at] + weight * (spread[at + 1] - spread[at]);
}

/** The mean of what `factorAt` gives over all shares. */
export function meanOf(spread: readonly number[]): number {
  let mean = 0;
  for (let at = 0; at + 1 < spread.length; at++) {
    mean += ((spread[at] + spread[at + 1]) / 2) * (SPREAD_SHARES[at + 1] - SPREAD_SHARES[at]);
  }
  return mean;
}
