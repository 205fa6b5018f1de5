import { RidgepointError } from '../errors.js';
import { option, words } from '../wording.js';
import type { Gpu } from '../gpu/gpu.js';
import type { PassClock } from '../gpu/pass-clock.js';
import { maskWords, NO_TOKEN, type SamplingRow } from '../kernels/sample/kernel.js';
import type { ForwardPass } from '../model/forward-pass.js';
import type { BatchShape } from '../model/operations.js';
import type { StepSequence } from '../model/step-buffer.js';
import type { SpeculationOptions } from './api.js';
import type { RunningGeneration } from './generation.js';
import { logprobsOf } from './logprobs.js';
import { lookUp } from './lookup.js';
import { ReadbackRing, type StepResult } from './readback.js';
import { initialTokenState, needsTokenState } from './sampling.js';
import { Watchers } from './scheduling.js';
import type { Moment } from '../scheduler/moment.js';
import { loadOf, sampledBy } from '../scheduler/step-load.js';
import type { Scheduler } from '../scheduler/scheduler.js';
import type { ScheduledSequence } from '../scheduler/sequence.js';
import { PromptRuns, type PromptRun } from './prompt-runs.js';
import { StepTimes } from './step-times.js';
import type { Sampled, SubmittedStep } from './submitted-step.js';
import { STEPS_UNDER_WAY, type DecodeRows, type PrefillChunk, type StepPlan } from '../scheduler/step-plan.js';

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
  readonly #depth: number;
  readonly #times: StepTimes;
  readonly #prompts: PromptRuns;
  /** Steps submitted whose tokens are not delivered yet, the oldest first. */
  readonly #inFlight: SubmittedStep[] = [];
  /** Who is told of the schedule. */
  readonly watchers = new Watchers();
  readonly #gpu: Gpu;
  readonly #model: ForwardPass;
  readonly #scheduler: Scheduler;
  readonly #options: StepLoopOptions;

  constructor(gpu: Gpu, model: ForwardPass, scheduler: Scheduler, options: StepLoopOptions) {
    this.#gpu = gpu;
    this.#model = model;
    this.#scheduler = scheduler;
    this.#options = options;
    this.#depth = gpu.capabilities.isCpu ? STEPS_UNDER_WAY.cpu : STEPS_UNDER_WAY.gpu;
    this.#ring = new ReadbackRing(gpu, options.logitRows, model.logitStride, this.#depth);
    this.#times = new StepTimes(this.watchers, options.onStep);
    this.#prompts = new PromptRuns(gpu, scheduler);
    gpu.onLost((error) => this.#fail(error));
  }

  /** Queues a generation and sees to it that the loop runs. */
  add(generation: RunningGeneration): void {
    if (this.#failure !== undefined) {
      generation.fail(this.#failure);
      return;
    }
    this.#generations.set(generation.sequence.id, generation);
    this.#scheduler.add(generation.sequence);
    this.watchers.added(generation.sequence, performance.now());
    this.#running ??= this.#run();
  }

  /** Queues a prompt that is computed for what it leaves behind: keys and values, or hidden states. */
  compute(run: PromptRun): void {
    if (this.#failure !== undefined) return run.fail(this.#failure);
    this.#prompts.add(run);
    this.#scheduler.add(run.sequence);
    this.#running ??= this.#run();
  }

  /** Copies more of what a prompt leaves out, where its reader has made room; lets go of it if it is over. */
  copyOut(run: PromptRun): void {
    if (this.#prompts.copy(run)) this.#running ??= this.#run();
  }

  /** Ends a generation before its time. */
  abort(generation: RunningGeneration): void {
    generation.finish('abort');
    this.#retire(generation);
  }

  /** Where the scheduler stands. */
  moment(): Moment {
    const elapsedMs = this.#times.elapsed(this.#inFlight.at(0));
    const underWay = this.#inFlight.map(({ plan }) => ({ load: loadOf(plan), sampled: sampledBy(plan) }));
    return { scheduler: this.#scheduler, underWay, elapsedMs, depth: this.#depth };
  }

  /** Aborts everything and waits until the GPU is idle. */
  async stop(): Promise<void> {
    for (const generation of [...this.#generations.values()]) this.abort(generation);
    this.#prompts.fail(new RidgepointError('usage', 'the engine was disposed; load another'));
    await this.#running;
  }

  async #run(): Promise<void> {
    // Callers that add several generations in one turn get them into one batch.
    await Promise.resolve();
    const inFlight = this.#inFlight;
    for (;;) {
      try {
        const plan = inFlight.length < this.#depth ? this.#scheduler.next() : undefined;
        if (plan !== undefined) inFlight.push(this.#submit(plan));
        else if (inFlight.length > 0) {
          this.#options.onWait?.(this.#times.patience(inFlight));
          const [oldest] = inFlight;
          const result = await oldest.result;
          inFlight.shift();
          this.#deliver(oldest, result);
        } else break;
        this.#gpu.check();
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
    this.#prompts.before(plan);
    const sampled: Sampled[] = [];
    let rows = 0;
    const samples = (generation: RunningGeneration, guesses: readonly number[]): void => {
      sampled.push({ generation, row: rows, guesses });
      rows += 1 + guesses.length;
    };
    const decode = plan.decode.map((part) => this.#decodeRows(part, samples));
    const prefill = plan.prefill.map((part) => this.#prefillRows(part, samples));
    const encoder = this.#gpu.device.createCommandEncoder();
    this.#model.record(encoder, { decode, prefill }, { timestampWrites: this.clock?.next() });
    this.counts.steps++;
    const submitted = this.#prompts.record(encoder, plan);
    const wantsLogits = sampled.some(({ generation }) => generation.options.logprobs !== undefined);
    if (rows === 0) {
      this.#gpu.queue.submit([encoder.finish()]);
      submitted();
      const nothing: StepResult = { tokens: new Uint32Array(0), logits: undefined };
      return { sampled, result: this.#gpu.queue.onSubmittedWorkDone().then(() => nothing), plan, submittedAt };
    }
    const read = this.#ring.record(encoder, rows, this.#model.sampled, wantsLogits ? this.#model.logits : undefined);
    this.#gpu.queue.submit([encoder.finish()]);
    submitted();
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
    const generation = this.#generations.get(sequence.id);
    if (samples) sampled(generation!, []);
    return {
      slot: sequence.slot,
      position: begin,
      tokens: (generation ?? this.#prompts.find(sequence)!).promptIds,
      tokensBegin: begin,
      tokensEnd: end,
      blocks: sequence.blocks,
      sampling: samples ? this.#samplingRow(generation!, 0) : undefined,
    };
  }

  /** Prepares the slot that a sequence has got, for the first time or after it had been sent away. */
  #enter({ id, slot }: ScheduledSequence): void {
    this.#model.step.resetSlot(slot);
    const generation = this.#generations.get(id);
    if (generation === undefined || !needsTokenState(generation.sampling)) return;
    const { sampling, promptIds, ids } = generation;
    const { vocab } = this.#model.config;
    const state = initialTokenState(promptIds, sampling.logitBias, vocab, ids);
    this.#gpu.queue.writeBuffer(this.#model.samplerState, slot * vocab * 8, state);
  }

  #samplingRow({ sequence: { slot }, sampling, mask }: RunningGeneration, draw: number): SamplingRow {
    if (mask !== undefined) {
      const words = new Uint32Array(maskWords(this.#model.config.vocab));
      // A tokenizer may know fewer ids than the model has rows.
      words.set(mask.subarray(0, words.length));
      this.#gpu.queue.writeBuffer(this.#model.tokenMasks, slot * words.byteLength, words);
    }
    return { ...sampling, slot, usesState: needsTokenState(sampling), usesMask: mask !== undefined, draw };
  }

  #deliver(step: SubmittedStep, { tokens, logits }: StepResult): void {
    this.#times.ended(step);
    const stride = this.#model.logitStride;
    for (const { generation, row, guesses } of step.sampled) {
      if (generation.done) continue;
      // A row counts if the guesses it stands on were what the rows before it chose.
      let right = 0;
      while (right < guesses.length && tokens[row + right] === guesses[right]) right++;
      this.counts.acceptedTokens += right;
      for (let at = row; at <= row + right && !generation.done; at++) {
        const own = logits?.subarray(at * stride, at * stride + this.#model.config.vocab);
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
          words`the model's logits are not numbers at generated token ${where}; its weights may be damaged (load with ${option('checkWeights')} to find where)`,
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
    this.#scheduler.deliver(sequence, tokens);
    if (!sequence.hostStepped) return;
    if (generation.options.constraint === undefined) {
      generation.guesses = lookUp(generation.tokens, this.#options.speculate!);
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

  #retire(generation: RunningGeneration): void {
    if (!generation.sequence.finished) this.watchers.ended(generation.sequence, performance.now());
    this.#scheduler.finish(generation.sequence);
    this.#generations.delete(generation.sequence.id);
  }

  #fail(error: unknown): void {
    if (this.#gpu.lost) this.#failure ??= error;
    this.#prompts.fail(error);
    for (const generation of [...this.#generations.values()]) {
      generation.fail(error);
      this.#retire(generation);
    }
  }
}
