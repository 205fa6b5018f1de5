import type { Gpu } from '../gpu/gpu.js';
import { BLOCK_TOKENS } from '../kernels/attention/shape.js';
import type { Scheduler } from '../scheduler/scheduler.js';
import type { ScheduledSequence } from '../scheduler/sequence.js';
import type { StepPlan } from '../scheduler/step-plan.js';

/** The rows of one prompt in a step. */
export interface ChunkRows {
  /** The first of them in the step. */
  readonly row: number;
  /** Positions in the prompt. */
  readonly begin: number;
  readonly end: number;
}

/** A prompt that is computed for what it leaves on the GPU and not for a token: keys and values, or hidden states. */
export interface PromptRun {
  readonly sequence: ScheduledSequence;
  readonly promptIds: readonly number[];
  /** Whether all that is wanted has been copied, or will not be. */
  readonly complete: boolean;
  /** Whether there is something to copy, of so many tokens, that does not go with a step. */
  owes(computed: number): boolean;
  /**
   * Records copies of what is wanted.
   *
   * @param computed tokens that have been computed when the copies run
   * @param rows of the step that they go with; undefined where it is none of this prompt's
   * @returns to be called once submitted
   */
  record(encoder: GPUCommandEncoder, computed: number, rows?: ChunkRows): () => void;
  fail(error: unknown): void;
}

/** The prompts that the step loop computes for what they leave behind. */
export class PromptRuns {
  readonly #runs = new Map<number, PromptRun>();

  readonly #gpu: Gpu;
  readonly #scheduler: Scheduler;

  constructor(gpu: Gpu, scheduler: Scheduler) {
    this.#gpu = gpu;
    this.#scheduler = scheduler;
  }

  add(run: PromptRun): void {
    this.#runs.set(run.sequence.id, run);
  }

  find({ id }: ScheduledSequence): PromptRun | undefined {
    return this.#runs.get(id);
  }

  /** Records copies of what a step has computed. @returns to be called once the step is submitted */
  record(encoder: GPUCommandEncoder, { decode, prefill }: StepPlan): () => void {
    if (this.#runs.size === 0) return () => undefined;
    const runs: PromptRun[] = [];
    const submitted: (() => void)[] = [];
    // Rows of generated tokens come first in a step, then chunks in their order.
    let row = decode.reduce((sum, { begin, end }) => sum + end - begin, 0);
    for (const { sequence, begin, end } of prefill) {
      const run = this.find(sequence);
      if (run !== undefined) {
        runs.push(run);
        submitted.push(run.record(encoder, sequence.computed, { row, begin, end }));
      }
      row += end - begin;
    }
    return () => {
      for (const done of submitted) done();
      for (const run of runs) this.#look(run);
    };
  }

  /**
   * Copies what was in the cache before a step is submitted, so that it goes out before the rest is computed. What a
   * prompt shares with another one of the same step is not there yet.
   */
  before({ prefill }: StepPlan): void {
    if (this.#runs.size === 0) return;
    const written = new Set<number>();
    for (const { sequence, begin, end } of prefill) {
      for (let at = Math.floor(begin / BLOCK_TOKENS); at * BLOCK_TOKENS < end; at++) written.add(sequence.blocks[at]);
    }
    for (const { sequence, begin } of prefill) {
      const run = this.find(sequence);
      if (run === undefined) continue;
      const first = sequence.blocks.findIndex((block) => written.has(block));
      this.copy(run, first < 0 ? begin : Math.min(begin, first * BLOCK_TOKENS));
    }
  }

  /**
   * Copies what has been computed and not yet been copied, in a submission of its own.
   *
   * @param computed tokens of it, by what has been submitted
   * @returns whether the run is over
   */
  copy(run: PromptRun, computed = run.sequence.computed): boolean {
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

  /** Lets go of a run's blocks when all is copied: what is submitted later may write to them. */
  #look(run: PromptRun): boolean {
    if (!run.complete) return false;
    this.#runs.delete(run.sequence.id);
    this.#scheduler.finish(run.sequence);
    return true;
  }
}
