import { RidgepointError } from '../errors.js';
import type { Gpu } from '../gpu/gpu.js';
import { NO_TOKEN, type SamplingRow } from '../kernels/sample.js';
import type { LlamaModel } from '../model/llama.js';
import type { StepBatch, StepSequence } from '../model/step-buffer.js';
import type { RunningGeneration } from './generation.js';
import { logprobsOf } from './logprobs.js';
import { ReadbackRing, type StepResult } from './readback.js';
import { initialTokenState, needsTokenState } from './sampling.js';
import type { ScheduledSequence, Scheduler, StepPlan } from './scheduler.js';

/** Steps submitted before the oldest one's tokens are awaited: one runs while the next is recorded. */
const DEPTH = 2;

interface SubmittedStep {
  /** The generations that get a token, in the order of the step's logit rows. */
  readonly rows: readonly RunningGeneration[];
  readonly result: Promise<StepResult>;
}

/**
 * Drives the model with what the scheduler plans. A sampled token stays on the GPU as the next step's input, so the
 * next step is recorded and submitted before this one's tokens are known on the host; a sequence that turns out to
 * have ended has run one step too many, which nobody sees.
 */
export class StepLoop {
  readonly #generations = new Map<number, RunningGeneration>();
  readonly #ring: ReadbackRing;
  #running: Promise<void> | undefined;
  #failure: unknown;

  constructor(
    private readonly gpu: Gpu,
    private readonly model: LlamaModel,
    private readonly scheduler: Scheduler,
    maxSequences: number,
  ) {
    this.#ring = new ReadbackRing(gpu, maxSequences, model.logitStride, DEPTH);
    gpu.onLost((error) => this.#fail(error));
  }

  /** Queues a generation and sees to it that the loop runs. */
  add(generation: RunningGeneration): void {
    if (this.#failure !== undefined) {
      generation.fail(this.#failure);
      return;
    }
    this.#generations.set(generation.sequence.id, generation);
    this.scheduler.add(generation.sequence);
    this.#running ??= this.#run();
  }

  /** Ends a generation before its time. */
  abort(generation: RunningGeneration): void {
    generation.finish('abort');
    this.#retire(generation);
  }

  /** Aborts everything and waits until the GPU is idle. */
  async stop(): Promise<void> {
    for (const generation of [...this.#generations.values()]) this.abort(generation);
    await this.#running;
  }

  async #run(): Promise<void> {
    // Callers that add several generations in one turn get them into one batch.
    await Promise.resolve();
    const inFlight: SubmittedStep[] = [];
    for (;;) {
      try {
        const plan = inFlight.length < DEPTH ? this.scheduler.next() : undefined;
        if (plan !== undefined) inFlight.push(this.#submit(plan));
        else if (inFlight.length > 0) this.#deliver(inFlight[0], await inFlight.shift()!.result);
        else break;
        this.gpu.check();
      } catch (error) {
        this.#fail(error);
        await Promise.allSettled(inFlight.splice(0).map((step) => step.result));
      }
    }
    // At once, not after another await: a generation added in between would wait for a loop that has ended.
    this.#running = undefined;
  }

  #submit(plan: StepPlan): SubmittedStep {
    const rows: RunningGeneration[] = [];
    const decode = plan.decode.map((sequence) => this.#stepSequence(sequence, undefined, rows));
    const prefill = plan.prefill.map(({ sequence, begin, end }) => this.#stepSequence(sequence, { begin, end }, rows));
    const batch: StepBatch = { decode, prefill };
    const encoder = this.gpu.device.createCommandEncoder();
    this.model.record(encoder, batch);
    const wantsLogits = rows.some((generation) => generation.options.logprobs !== undefined);
    if (rows.length === 0) {
      this.gpu.queue.submit([encoder.finish()]);
      const nothing: StepResult = { tokens: new Uint32Array(0), logits: undefined };
      return { rows, result: this.gpu.queue.onSubmittedWorkDone().then(() => nothing) };
    }
    const read = this.#ring.record(
      encoder,
      rows.length,
      this.model.sampled,
      wantsLogits ? this.model.logits : undefined,
    );
    this.gpu.queue.submit([encoder.finish()]);
    const result = read();
    result.catch(() => undefined); // awaited later; a lost device must not end the process meanwhile
    return { rows, result };
  }

  #stepSequence(
    sequence: ScheduledSequence,
    chunk: { begin: number; end: number } | undefined,
    rows: RunningGeneration[],
  ): StepSequence {
    const generation = this.#generations.get(sequence.id)!;
    if (chunk?.begin === 0) this.#enter(generation);
    const wantsToken = chunk === undefined || chunk.end === sequence.promptLength;
    if (wantsToken) rows.push(generation);
    return {
      slot: sequence.slot,
      position: chunk === undefined ? sequence.decodePosition : chunk.begin,
      tokens: chunk === undefined ? undefined : generation.promptIds,
      tokensBegin: chunk?.begin ?? 0,
      tokensEnd: chunk?.end ?? 1,
      blocks: sequence.blocks,
      sampling: wantsToken ? this.#samplingRow(generation) : undefined,
    };
  }

  /** Prepares a sequence's slot for its first chunk. */
  #enter({ sequence, sampling, promptIds }: RunningGeneration): void {
    this.model.step.resetSlot(sequence.slot);
    if (!needsTokenState(sampling)) return;
    const { vocab } = this.model.config;
    const state = initialTokenState(promptIds, sampling.logitBias, vocab);
    this.gpu.queue.writeBuffer(this.model.samplerState, sequence.slot * vocab * 8, state);
  }

  #samplingRow({ sequence, sampling }: RunningGeneration): SamplingRow {
    return { ...sampling, slot: sequence.slot, usesState: needsTokenState(sampling), draw: sequence.generated - 1 };
  }

  #deliver(step: SubmittedStep, { tokens, logits }: StepResult): void {
    const stride = this.model.logitStride;
    step.rows.forEach((generation, row) => {
      if (generation.done) return;
      const id = tokens[row];
      if (id === NO_TOKEN) {
        const where = generation.ids.length;
        generation.fail(
          new RidgepointError(
            'device',
            `the model's logits are not numbers at generated token ${where}; its weights may be damaged (load with checkWeights, or --check-weights, to find where)`,
          ),
        );
      } else {
        const wanted = generation.options.logprobs;
        const own = logits?.subarray(row * stride, row * stride + this.model.config.vocab);
        generation.push(id, wanted === undefined || own === undefined ? undefined : logprobsOf(own, id, wanted));
      }
      if (generation.done) this.#retire(generation);
    });
  }

  #retire(generation: RunningGeneration): void {
    this.scheduler.finish(generation.sequence);
    this.#generations.delete(generation.sequence.id);
  }

  #fail(error: unknown): void {
    if (this.gpu.lost) this.#failure ??= error;
    for (const generation of [...this.#generations.values()]) {
      generation.fail(error);
      this.#retire(generation);
    }
  }
}
