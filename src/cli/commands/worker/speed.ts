import type { WorkerSpeed } from '../../../cluster/placement.js';
import type { BatchShape } from '../../../model/operations.js';
import { StepPrices } from '../../../outlook/prices.js';
import { loadOfShape, type StepLoad } from '../../../scheduler/step-load.js';
import type { StepPrice } from '../../../simulator/price/price.js';

/** A prompt and a step by which a worker's speed is told. */
const TOKENS = 256;
const promptFrom = (begin: number): StepLoad => ({
  ...{ decodeRows: 0, decodeKeys: 0, logitRows: 1 },
  prompts: [{ begin, end: begin + TOKENS }],
});
/** A chunk behind so many tokens, by which it is told what reading them takes. */
const BEHIND = 1792;
const STEP: StepLoad = { decodeRows: 1, decodeKeys: TOKENS + 1, prompts: [], logitRows: 1 };

/**
 * How fast an engine is: by a calibration of its machine, corrected by what its last steps have taken beyond that, and
 * by its steps alone where there is none.
 */
export class SpeedOfSteps {
  #prices = new StepPrices();

  /** For the engine's options. */
  readonly onStep = (batch: BatchShape, ms: number): void => void this.#prices.observe(loadOfShape(batch), ms);

  /** From now on steps are priced by a calibration. */
  calibrate(price: StepPrice): void {
    this.#prices = new StepPrices(price);
  }

  /** Undefined while nothing can be said. */
  readonly speed = (): WorkerSpeed | undefined => {
    if (!this.#prices.known) return undefined;
    const near = this.#prices.current(promptFrom(0)) / TOKENS;
    const step = this.#prices.current(STEP);
    if (!(near > 0 && step > 0)) return undefined;
    // What was learnt from short prompts says nothing of long ones.
    if (this.#prices.source !== 'calibration') return { promptToken: near, step };
    const promptKey = Math.max(0, this.#prices.current(promptFrom(BEHIND)) / TOKENS - near) / BEHIND;
    const promptToken = near - (promptKey * TOKENS) / 2;
    return promptToken > 0 ? { promptToken, promptKey, step } : { promptToken: near, step };
  };
}
