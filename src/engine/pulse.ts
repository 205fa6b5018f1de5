import type { StepPlan } from '../scheduler/step-plan.js';

/** How far a step moves what is expected: one that was noticed late, and the next, which then seems short, do little. */
const SHARE = 0.1;

/**
 * How long decode steps take, learnt from those before with as many rows. Steps with prompts are as long as their
 * prompts, and expected to take no time.
 */
export class Pulse {
  #rows = 0;
  #ms = 0;

  observe(plan: StepPlan, ms: number): void {
    if (plan.prefill.length > 0) return;
    if (plan.decode.length !== this.#rows) {
      this.#rows = plan.decode.length;
      this.#ms = ms;
    } else this.#ms += SHARE * (ms - this.#ms);
  }

  /** Milliseconds from the step's begin; 0 where nothing is known. */
  of(plan: StepPlan): number {
    return plan.prefill.length === 0 && plan.decode.length === this.#rows ? this.#ms : 0;
  }
}
