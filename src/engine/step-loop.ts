import { RidgepointError } from '../errors.js';
import type { Gpu } from '../gpu/gpu.js';
import type { PassClock } from '../gpu/pass-clock.js';
import { maskWords, NO_TOKEN, type SamplingRow } from '../kernels/sample.js';
import type { LlamaModel } from '../model/llama.js';
import type { BatchShape } from '../model/operations.js';
import type { StepSequence } from '../model/step-buffer.js';
import type { SpeculationOptions } from './api.js';
import type { RunningGeneration } from './generation.js';
import { logprobsOf } from './logprobs.js';
import { lookUp } from './lookup.js';
import { ReadbackRing, type StepResult } from './readback.js';
import { initialTokenState, needsTokenState } from './sampling.js';
import type { Scheduler } from './scheduler.js';
import type { ScheduledSequence } from './sequence.js';
import { Pulse } from './pulse.js';
import { STEPS_UNDER_WAY, type DecodeRows, type PrefillChunk, type StepPlan } from './step-plan.js';

/** The logit rows of one generation in a step. */
interface Sampled {
  readonly generation: RunningGeneration;
  readonly row: number;
  /** What its rows after the first take to have been chosen in the rows before them. */
  readonly guesses: readonly number[];
}

interface SubmittedStep {
  readonly sampled: readonly Sampled[];
  readonly result: Promise<StepResult>;
  readonly plan: StepPlan;
  readonly submittedAt: number;
}

export interface StepLoopOptions {
  /** Most rows that get a token in one step. */
  readonly logitRows: number;
  readonly speculate: SpeculationOptions | undefined;
  /** Learns how long steps take. */
  readonly onStep?: (batch: BatchShape, ms: number) => void;
  /** Told before a step is awaited for about how many milliseconds nobody needs to know that it is done. */
  readonly onWait?: (ms: number) => void;
}

/**
 * Drives the model with what the scheduler plans. A sampled token stays on the GPU as the next step's input, so the
 * next step is recorded and submitted before this one's tokens are known on the host; a sequence that turns out to
 * have ended has run one step too many, which nobody sees. Only sequences whose next step depends on the token, through
 * a constraint or a guess, wait for it.
 */
export class StepLoop {
  /** Times each step on the GPU while it is there. */
  clock: PassClock | undefined;
  readonly counts = { steps: 0, speculatedTokens: 0, acceptedTokens: 0 };
  readonly #generations = new Map<number, RunningGeneration>();
  readonly #ring: ReadbackRing;
  #running: Promise<void> | undefined;
  #failure: unknown;
  #lastEnd = 0;
  readonly #depth: number;
  readonly #pulse = new Pulse();

  constructor(
    private readonly gpu: Gpu,
    private readonly model: LlamaModel,
    private readonly scheduler: Scheduler,
    private readonly options: StepLoopOptions,
  ) {
    this.#depth = gpu.capabilities.isCpu ? STEPS_UNDER_WAY.cpu : STEPS_UNDER_WAY.gpu;
    this.#ring = new ReadbackRing(gpu, options.logitRows, model.logitStride, this.#depth);
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
        const plan = inFlight.length < this.#depth ? this.scheduler.next() : undefined;
        if (plan !== undefined) inFlight.push(this.#submit(plan));
        else if (inFlight.length > 0) {
          this.options.onWait?.(this.#patience(inFlight));
          this.#deliver(inFlight[0], await inFlight.shift()!.result);
        } else break;
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
    const submittedAt = performance.now();
    for (const sequence of plan.admitted) this.#enter(sequence);
    const sampled: Sampled[] = [];
    let rows = 0;
    const samples = (generation: RunningGeneration, guesses: readonly number[]): void => {
      sampled.push({ generation, row: rows, guesses });
      rows += 1 + guesses.length;
    };
    const decode = plan.decode.map((part) => this.#decodeRows(part, samples));
    const prefill = plan.prefill.map((part) => this.#prefillRows(part, samples));
    const encoder = this.gpu.device.createCommandEncoder();
    this.model.record(encoder, { decode, prefill }, { timestampWrites: this.clock?.next() });
    this.counts.steps++;
    const wantsLogits = sampled.some(({ generation }) => generation.options.logprobs !== undefined);
    if (rows === 0) {
      this.gpu.queue.submit([encoder.finish()]);
      const nothing: StepResult = { tokens: new Uint32Array(0), logits: undefined };
      return { sampled, result: this.gpu.queue.onSubmittedWorkDone().then(() => nothing), plan, submittedAt };
    }
    const read = this.#ring.record(encoder, rows, this.model.sampled, wantsLogits ? this.model.logits : undefined);
    this.gpu.queue.submit([encoder.finish()]);
    const result = read();
    result.catch(() => undefined); // awaited later; a lost device must not end the process meanwhile
    return { sampled, result, plan, submittedAt };
  }

  #decodeRows(
    { sequence, begin, end, source, samples, draw }: DecodeRows,
    sampled: (generation: RunningGeneration, guesses: readonly number[]) => void,
  ): StepSequence {
    const generation = this.#generations.get(sequence.id)!;
    const { tokens } = generation;
    const guesses = samples > 1 ? generation.guesses.slice(0, samples - 1) : [];
    this.counts.speculatedTokens += guesses.length;
    if (samples > 0) sampled(generation, guesses);
    return {
      slot: sequence.slot,
      position: begin,
      tokens: source === 'slot' ? undefined : [...tokens.slice(begin, end - guesses.length), ...guesses],
      tokensBegin: 0,
      tokensEnd: end - begin,
      blocks: sequence.blocks,
      sampling: samples > 0 ? this.#samplingRow(generation, draw) : undefined,
      samples,
    };
  }

  #prefillRows(
    { sequence, begin, end, samples }: PrefillChunk,
    sampled: (generation: RunningGeneration, guesses: readonly number[]) => void,
  ): StepSequence {
    const generation = this.#generations.get(sequence.id)!;
    if (samples) sampled(generation, []);
    return {
      slot: sequence.slot,
      position: begin,
      tokens: generation.promptIds,
      tokensBegin: begin,
      tokensEnd: end,
      blocks: sequence.blocks,
      sampling: samples ? this.#samplingRow(generation, 0) : undefined,
    };
  }

  /** Prepares the slot that a sequence has got, for the first time or after it had been sent away. */
  #enter({ id, slot }: ScheduledSequence): void {
    this.model.step.resetSlot(slot);
    const { sampling, promptIds, ids } = this.#generations.get(id)!;
    if (!needsTokenState(sampling)) return;
    const { vocab } = this.model.config;
    const state = initialTokenState(promptIds, sampling.logitBias, vocab, ids);
    this.gpu.queue.writeBuffer(this.model.samplerState, slot * vocab * 8, state);
  }

  #samplingRow({ sequence: { slot }, sampling, mask }: RunningGeneration, draw: number): SamplingRow {
    if (mask !== undefined) {
      const words = new Uint32Array(maskWords(this.model.config.vocab));
      // A tokenizer may know fewer ids than the model has rows.
      words.set(mask.subarray(0, words.length));
      this.gpu.queue.writeBuffer(this.model.tokenMasks, slot * words.byteLength, words);
    }
    return { ...sampling, slot, usesState: needsTokenState(sampling), usesMask: mask !== undefined, draw };
  }

  #deliver(step: SubmittedStep, { tokens, logits }: StepResult): void {
    this.#time(step);
    const stride = this.model.logitStride;
    for (const { generation, row, guesses } of step.sampled) {
      if (generation.done) continue;
      // A row counts if the guesses it stands on were what the rows before it chose.
      let right = 0;
      while (right < guesses.length && tokens[row + right] === guesses[right]) right++;
      this.counts.acceptedTokens += right;
      for (let at = row; at <= row + right && !generation.done; at++) {
        const own = logits?.subarray(at * stride, at * stride + this.model.config.vocab);
        this.#take(generation, tokens[at], own);
      }
      if (generation.done) this.#retire(generation);
      else this.#goOn(generation, 1 + right);
    }
  }

  #take(generation: RunningGeneration, id: number, logits: Float32Array | undefined): void {
    if (id === NO_TOKEN) {
      const where = generation.ids.length;
      generation.fail(
        new RidgepointError(
          'device',
          `the model's logits are not numbers at generated token ${where}; its weights may be damaged (load with checkWeights, or --check-weights, to find where)`,
        ),
      );
      return;
    }
    const wanted = generation.options.logprobs;
    const asked = wanted !== undefined && logits !== undefined;
    generation.push(id, asked ? logprobsOf(logits, id, wanted) : undefined);
  }

  /** Prepares what the next step of a generation needs to know. */
  #goOn(generation: RunningGeneration, tokens: number): void {
    const { sequence } = generation;
    this.scheduler.deliver(sequence, tokens);
    if (!sequence.hostStepped) return;
    if (generation.options.constraint === undefined) {
      generation.guesses = lookUp(generation.tokens, this.options.speculate!);
      sequence.drafts = generation.guesses.length;
      return;
    }
    try {
      generation.constrain();
    } catch (error) {
      generation.fail(error);
      this.#retire(generation);
    }
  }

  #time({ plan, submittedAt }: SubmittedStep): void {
    const now = performance.now();
    const began = Math.max(submittedAt, this.#lastEnd);
    this.#lastEnd = now;
    this.#pulse.observe(plan, now - began);
    this.options.onStep?.(shapeOf(plan), now - began);
  }

  /**
   * Milliseconds that may pass until the next step is recorded: what the oldest will take from now on, and those behind
   * it but one, for the GPU has that one left when it is noticed late.
   */
  #patience([{ plan, submittedAt }, ...behind]: readonly SubmittedStep[]): number {
    const began = Math.max(submittedAt, this.#lastEnd);
    const left = began + this.#pulse.of(plan) - performance.now();
    return left + this.#pulse.of(plan) * Math.max(0, behind.length - 1);
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

function shapeOf({ decode, prefill }: StepPlan): BatchShape {
  const rows = decode.flatMap(({ begin, end }) =>
    Array.from({ length: end - begin }, (_, i) => ({ newTokens: 1, context: begin + i })),
  );
  const chunks = prefill.map(({ begin, end }) => ({ newTokens: end - begin, context: begin, prefill: true }));
  const logitRows = decode.reduce((sum, { samples }) => sum + samples, prefill.filter(({ samples }) => samples).length);
  return { sequences: [...rows, ...chunks], logitRows };
}
