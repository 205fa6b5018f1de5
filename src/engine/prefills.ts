import type { Gpu } from '../gpu/gpu.js';
import type { Scheduler } from '../scheduler/scheduler.js';
import type { ScheduledSequence } from '../scheduler/sequence.js';
import type { StepPlan } from '../scheduler/step-plan.js';
import type { PrefillRun } from './prefill-run.js';

/** The prompts that the step loop computes for their keys and values alone. */
export class Prefills {
  readonly #runs = new Map<number, PrefillRun>();

  readonly #gpu: Gpu;
  readonly #scheduler: Scheduler;

  constructor(gpu: Gpu, scheduler: Scheduler) {
    this.#gpu = gpu;
    this.#scheduler = scheduler;
  }

  add(run: PrefillRun): void {
    this.#runs.set(run.sequence.id, run);
  }

  find({ id }: ScheduledSequence): PrefillRun | undefined {
    return this.#runs.get(id);
  }

  /** Records copies of what a step has computed. @returns to be called once the step is submitted */
  record(encoder: GPUCommandEncoder, { prefill }: StepPlan): () => void {
    if (this.#runs.size === 0) return () => undefined;
    const runs = prefill.flatMap(({ sequence }) => this.find(sequence) ?? []);
    const submitted = runs.map((run) => run.record(encoder, run.sequence.computed));
    return () => {
      for (const done of submitted) done();
      for (const run of runs) this.#look(run);
    };
  }

  /** Copies what was in the cache before a step is submitted, so that it goes out before the rest is computed. */
  before({ prefill }: StepPlan): void {
    if (this.#runs.size === 0) return;
    for (const { sequence, begin } of prefill) {
      const run = this.find(sequence);
      if (run !== undefined) this.copy(run, begin);
    }
  }

  /**
   * Copies what has been computed and not yet been copied, in a submission of its own.
   *
   * @param computed tokens of it, by what has been submitted
   * @returns whether the run is over
   */
  copy(run: PrefillRun, computed = run.sequence.computed): boolean {
    if (run.owes(computed)) {
      const encoder = this.#gpu.device.createCommandEncoder();
      const submitted = run.record(encoder, computed);
      this.#gpu.queue.submit([encoder.finish()]);
      submitted();
    }
    return this.#look(run);
  }

  fail(error: unknown): void {
    for (const run of [...this.#runs.values()]) {
      run.fail(error);
      this.#look(run);
    }
  }

  /** Lets go of a run's blocks when they are copied: what is submitted later may write to them. */
  #look(run: PrefillRun): boolean {
    if (!run.complete) return false;
    this.#runs.delete(run.sequence.id);
    this.#scheduler.finish(run.sequence);
    return true;
  }
}
