import { RidgepointError } from '../errors.js';
import type { Gpu } from '../gpu/gpu.js';
import { Profiler, type OperationTime } from '../gpu/profiler.js';
import { BLOCK_TOKENS } from '../kernels/attention/shape.js';
import { GREEDY_SAMPLING, type SamplingRow } from '../kernels/sample/kernel.js';
import type { ForwardPass } from '../model/forward-pass.js';
import type { BatchShape } from '../model/operations.js';
import type { StepBatch, StepSequence } from '../model/step-buffer.js';

/** What one probed step took. */
export interface ProbedStep {
  readonly batch: BatchShape;
  /** Milliseconds from the start of recording to the GPU being done. */
  readonly wallMs: number;
  /** Milliseconds the host spent recording: the step's words written, its commands encoded. */
  readonly recordMs: number;
  /** Milliseconds until the driver had taken what was recorded, in which a GPU may already be at work. */
  readonly submitMs: number;
  /** `performance.now()` at the start of recording. */
  readonly startedAt: number;
  /** GPU time of each operation, when profiled. */
  readonly operations: readonly OperationTime[] | undefined;
}

export interface ProbeOptions {
  /** Time each operation on the GPU. */
  readonly profile?: boolean;
  /** Run the sampler; default true. Without it the fed-in tokens are fixed. */
  readonly sample?: boolean;
}

/**
 * Runs single steps of chosen shape on a loaded model, past the scheduler: what benchmarks, the profiler and the
 * calibration measure. Contents of the cache are whatever earlier steps left, which no timing depends on. Do not use it
 * while the engine generates.
 */
export class StepProbe {
  #profiler: Profiler | undefined;
  readonly #gpu: Gpu;
  readonly #model: ForwardPass;
  readonly #limits: {
    readonly sequences: number;
    readonly contextLength: number;
    readonly stepTokens: number;
    readonly blocks: number;
    readonly logitRows: number;
  };

  constructor(
    gpu: Gpu,
    model: ForwardPass,
    limits: {
      readonly sequences: number;
      readonly contextLength: number;
      readonly stepTokens: number;
      readonly blocks: number;
      readonly logitRows: number;
    },
  ) {
    this.#gpu = gpu;
    this.#model = model;
    this.#limits = limits;
  }

  /** Longest context a probed batch of `sequences` can have. */
  maxContext(sequences: number): number {
    return Math.min(this.#limits.contextLength, Math.floor(this.#limits.blocks / sequences) * BLOCK_TOKENS);
  }

  /** One forward pass over `tokens` prompt tokens of one sequence that already has `context` tokens. */
  prefill(tokens: number, context = 0, options: ProbeOptions = {}): Promise<ProbedStep> {
    if (tokens > this.#limits.stepTokens || context + tokens > this.maxContext(1)) {
      throw new RidgepointError(
        'usage',
        `a step of ${tokens} tokens after ${context} does not fit: the prefill chunk is ${this.#limits.stepTokens}, the context ${this.maxContext(1)}`,
      );
    }
    const ids = Uint32Array.from({ length: tokens }, (_, i) => (i * 7919 + 1) % this.#model.config.vocab);
    const sequence = this.#sequence(0, context, 1, ids, tokens);
    const batch: BatchShape = { sequences: [{ newTokens: tokens, context, prefill: true }], logitRows: 1 };
    return this.#run({ decode: [], prefill: [sequence] }, batch, options);
  }

  /** One decode step of `sequences` sequences that each have `context` tokens in the cache. */
  decode(sequences: number, context: number, options: ProbeOptions = {}): Promise<ProbedStep> {
    if (sequences > this.#limits.sequences || context + 1 > this.maxContext(sequences)) {
      throw new RidgepointError(
        'usage',
        `a decode step of ${sequences} sequences after ${context} tokens does not fit: ${this.#limits.sequences} sequences, context ${this.maxContext(sequences)}`,
      );
    }
    const ids = Uint32Array.of(1);
    const decode = Array.from({ length: sequences }, (_, slot) => this.#sequence(slot, context, sequences, ids, 1));
    const batch: BatchShape = {
      sequences: decode.map(() => ({ newTokens: 1, context })),
      logitRows: sequences,
    };
    return this.#run({ decode, prefill: [] }, batch, options);
  }

  /**
   * The logits that a sequence gives at its positions from `from` on, chunk by chunk as a prompt is computed.
   *
   * @param ids the whole sequence
   * @param each gets a position and its [vocab] logits, which say what follows it; valid until it returns
   */
  async logits(
    ids: ArrayLike<number>,
    from: number,
    each: (position: number, logits: Float32Array) => void,
  ): Promise<void> {
    const gpu = this.#gpu;
    const model = this.#model;
    const limits = this.#limits;
    if (ids.length > this.maxContext(1)) {
      throw new RidgepointError('usage', `${ids.length} tokens do not fit a context of ${this.maxContext(1)}`);
    }
    const { vocab } = model.config;
    const tokens = Uint32Array.from({ length: ids.length }, (_, i) => ids[i]);
    model.step.resetSlot(0);
    for (let begin = 0; begin < ids.length;) {
      // Where no logits are wanted yet, chunks need not be as small as those that give some.
      const most = begin < from ? Math.min(limits.stepTokens, from - begin) : limits.logitRows;
      const end = Math.min(ids.length, begin + Math.min(most, limits.stepTokens));
      const wanted = begin < from ? 0 : end - begin;
      const whole = this.#sequence(0, begin, 1, tokens, end - begin);
      const chunk: StepSequence = {
        ...whole,
        tokensBegin: begin,
        tokensEnd: end,
        ...(wanted > 0 ? { samples: wanted } : { sampling: undefined }),
      };
      const encoder = gpu.device.createCommandEncoder();
      model.record(encoder, { decode: [], prefill: [chunk] }, { sample: false });
      gpu.queue.submit([encoder.finish()]);
      if (wanted > 0) {
        const rows = new Float32Array(await gpu.read(model.logits, 0, wanted * model.logitStride * 4));
        for (let i = 0; i < wanted; i++) {
          each(begin + i, rows.subarray(i * model.logitStride, i * model.logitStride + vocab));
        }
      }
      begin = end;
    }
    await gpu.queue.onSubmittedWorkDone();
    gpu.check();
  }

  #sequence(slot: number, position: number, of: number, ids: Uint32Array, tokens: number): StepSequence {
    const share = Math.floor(this.#limits.blocks / of);
    const needed = Math.ceil((position + tokens) / BLOCK_TOKENS);
    const blocks = Array.from({ length: needed }, (_, i) => slot * share + i);
    const sampling: SamplingRow = { ...GREEDY_SAMPLING, slot };
    return { slot, position, tokens: ids, tokensBegin: 0, tokensEnd: tokens, blocks, sampling };
  }

  async #run(step: StepBatch, batch: BatchShape, options: ProbeOptions): Promise<ProbedStep> {
    const gpu = this.#gpu;
    const model = this.#model;
    for (const { slot } of [...step.decode, ...step.prefill]) model.step.resetSlot(slot);
    if (options.profile) this.#profiler ??= new Profiler(gpu, model.operations.length);
    const profiler = options.profile ? this.#profiler : undefined;
    const startedAt = performance.now();
    const encoder = gpu.device.createCommandEncoder();
    model.record(encoder, step, { profiler, sample: options.sample });
    const commands = encoder.finish();
    const recordMs = performance.now() - startedAt;
    gpu.queue.submit([commands]);
    const submitMs = performance.now() - startedAt - recordMs;
    await gpu.queue.onSubmittedWorkDone();
    const wallMs = performance.now() - startedAt;
    const operations = await profiler?.read();
    gpu.check();
    return { batch, wallMs, recordMs, submitMs, startedAt, operations };
  }
}
