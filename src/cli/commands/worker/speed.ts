import type { WorkerSpeed } from '../../../cluster/placement.js';
import type { BatchShape } from '../../../model/operations.js';
import { LearntStepCost } from '../../../scheduler/step-cost.js';

/** A prompt and a step by which a worker's speed is told. */
const PROMPT: BatchShape = { sequences: [{ newTokens: 256, context: 0, prefill: true }], logitRows: 1 };
const STEP: BatchShape = { sequences: [{ newTokens: 1, context: 256 }], logitRows: 1 };
/** Steps before anything is said. */
const ENOUGH = 8;

/** Learns how fast an engine is from the steps that it runs. */
export function learnSpeed(): {
  readonly onStep: (batch: BatchShape, ms: number) => void;
  readonly speed: () => WorkerSpeed | undefined;
} {
  const cost = new LearntStepCost();
  let steps = 0;
  return {
    onStep: (batch, ms) => {
      if (cost.observe(batch, ms)) steps++;
    },
    speed: () => {
      const promptToken = cost.predict(PROMPT) / 256;
      const step = cost.predict(STEP);
      return steps >= ENOUGH && promptToken > 0 && step > 0 ? { promptToken, step } : undefined;
    },
  };
}
