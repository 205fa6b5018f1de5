import type { BatchShape } from '../model/operations.js';
import { shapeOf } from '../scheduler/step-load.js';
import type { StepPlan } from '../scheduler/step-plan.js';
import { Pulse } from './pulse.js';
import type { Watchers } from './scheduling.js';

/** A step that was submitted, in milliseconds of `performance.now()`. */
export interface TimedStep {
  readonly plan: StepPlan;
  readonly submittedAt: number;
}

/** How long steps have taken, and what that tells of those under way. */
export class StepTimes {
  readonly #pulse = new Pulse();
  #lastEnd = 0;

  readonly #watchers: Watchers;
  readonly #onStep: ((batch: BatchShape, ms: number) => void) | undefined;

  constructor(watchers: Watchers, onStep: ((batch: BatchShape, ms: number) => void) | undefined) {
    this.#watchers = watchers;
    this.#onStep = onStep;
  }

  /** Takes note that a step has ended. */
  ended({ plan, submittedAt }: TimedStep): void {
    const now = performance.now();
    const began = Math.max(submittedAt, this.#lastEnd);
    this.#lastEnd = now;
    this.#pulse.observe(plan, now - began);
    this.#watchers.step(plan, began, now);
    this.#onStep?.(shapeOf(plan), now - began);
  }

  /** Milliseconds for which the oldest step under way has run. */
  elapsed(oldest: TimedStep | undefined): number {
    return oldest === undefined ? 0 : performance.now() - Math.max(oldest.submittedAt, this.#lastEnd);
  }

  /**
   * Milliseconds that may pass until the next step is recorded: what the oldest will take from now on, and those behind
   * it but one, for the GPU has that one left when it is noticed late.
   */
  patience([{ plan, submittedAt }, ...behind]: readonly TimedStep[]): number {
    const began = Math.max(submittedAt, this.#lastEnd);
    const left = began + this.#pulse.of(plan) - performance.now();
    return left + this.#pulse.of(plan) * Math.max(0, behind.length - 1);
  }
}
