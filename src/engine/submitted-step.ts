import type { StepPlan } from '../scheduler/step-plan.js';
import type { RunningGeneration } from './generation.js';
import type { StepResult } from './readback.js';

/** The logit rows of one generation in a step. */
export interface Sampled {
  readonly generation: RunningGeneration;
  readonly row: number;
  /** What its rows after the first take to have been chosen in the rows before them. */
  readonly guesses: readonly number[];
}

export interface SubmittedStep {
  readonly sampled: readonly Sampled[];
  readonly result: Promise<StepResult>;
  readonly plan: StepPlan;
  readonly submittedAt: number;
}
