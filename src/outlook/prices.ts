import type { BatchShape } from '../model/operations.js';
import { LearntStepCost } from '../scheduler/step-cost.js';
import type { StepLoad } from '../scheduler/step-load.js';
import type { StepPrice } from '../simulator/price/price.js';

/** Steps that must have run before anything is said of the next, where no calibration says it. */
const LEAST_STEPS = 8;
/** Steps that the pace is taken over. */
const RECENT = 256;

/** Where the price of a step comes from: a calibration of the machine, or the steps that have run. */
export type PriceSource = 'calibration' | 'steps';

/**
 * What steps are expected to take, and how far those that ran were from it. With a calibration the expectation stays
 * what the machine can do by itself, so that whatever else runs there shows as a pace above 1.
 */
export class StepPrices {
  readonly #learnt = new LearntStepCost();
  readonly #recent: { readonly predicted: number; readonly ms: number }[] = [];
  #steps = 0;
  readonly #calibrated: StepPrice | undefined;

  /** @param calibrated the price of a calibration, if there is one */
  constructor(calibrated?: StepPrice) {
    this.#calibrated = calibrated;
  }

  get source(): PriceSource {
    return this.#calibrated === undefined ? 'steps' : 'calibration';
  }

  /** Whether anything can be said: of steps that were not the first of their size. */
  get known(): boolean {
    return this.#calibrated !== undefined || this.#steps >= LEAST_STEPS;
  }

  /** Expected milliseconds of a step on a machine that does nothing else. */
  readonly expected = (load: StepLoad): number => {
    if (this.#calibrated === undefined) return this.#learnt.predict(shapeOfLoad(load));
    return 1000 * (this.#calibrated.expected?.(load) ?? this.#calibrated.seconds(load));
  };

  /** The same as things are: with what the last steps took beyond what was expected. */
  readonly current = (load: StepLoad): number => this.expected(load) * this.pace;

  /** What steps learnt from say, calibration or not: the price of steps that are replayed. Milliseconds. */
  readonly learnt = (load: StepLoad): number => this.#learnt.predict(shapeOfLoad(load));

  /** Measured milliseconds of the last steps over those expected; 1 where nothing is known. */
  get pace(): number {
    let [predicted, ms] = [0, 0];
    for (const step of this.#recent) {
      predicted += step.predicted;
      ms += step.ms;
    }
    return predicted > 0 ? ms / predicted : 1;
  }

  /** Takes note of a step that took `ms`. @returns what had been expected; undefined where nothing was */
  observe(load: StepLoad, ms: number): number | undefined {
    const predicted = this.known ? this.expected(load) : undefined;
    if (this.#learnt.observe(shapeOfLoad(load), ms)) this.#steps++;
    else if (this.#calibrated === undefined) return predicted;
    if (predicted === undefined || predicted <= 0) return undefined;
    this.#recent.push({ predicted, ms });
    if (this.#recent.length > RECENT) this.#recent.shift();
    return predicted;
  }
}

/** A step as what learns from steps sees it: rows that decode at the mean of their contexts. */
export function shapeOfLoad({ decodeRows, decodeKeys, prompts, logitRows }: StepLoad): BatchShape {
  const context = decodeRows > 0 ? decodeKeys / decodeRows - 1 : 0;
  return {
    sequences: [
      ...Array.from({ length: decodeRows }, () => ({ newTokens: 1, context })),
      ...prompts.map(({ begin, end }) => ({ newTokens: end - begin, context: begin, prefill: true })),
    ],
    logitRows,
  };
}
