import { blockNames } from '../scheduler/block-names.js';
import { RidgepointError } from '../errors.js';
import { PassClock, type PassTime } from '../gpu/pass-clock.js';
import { BLOCK_TOKENS } from '../kernels/attention/shape.js';
import { ScheduledSequence } from '../scheduler/sequence.js';
import { inSlices } from '../tokenizer/slices.js';
import type { EmbedOptions, Embeddings, EngineStats, GenerateOptions, Generation, Prompt, TextEngine } from './api.js';
import type { Embedder } from './embedder.js';
import { kernelsOf, type EngineParts } from './engine-parts.js';
import type { RunningGeneration } from './generation.js';
import type { KvTransfer } from './kv-transfer.js';
import { checkEmbedOptions } from './options/embed-options.js';
import { Pending, type Before } from './pending.js';
import { StepProbe } from './probe.js';
import { needsTokenState } from './sampling.js';
import type { Scheduling } from './scheduling.js';
import { TextSide, type CheckedGeneration } from './text-side.js';
import { tokenLimit } from './token-limit.js';

/** A loaded model that generates text; made by `startEngine`. */
export class CoreEngine extends TextSide implements TextEngine {
  /** One line about a faster driver, where there is one to be had. */
  readonly hint: string | undefined;
  /** One line about what is left out for the driver's sake, where something is. */
  readonly driverRemark: string | undefined;
  /** What a user should know of the model's files, a sentence each. */
  readonly notices: readonly string[];
  readonly #pending = new Pending();
  #embedder: Embedder | undefined;
  #nextId = 0;
  #disposal: Promise<void> | undefined;
  readonly #parts: EngineParts;

  constructor(parts: EngineParts) {
    super(parts);
    this.#parts = parts;
    this.hint = parts.hint;
    this.notices = parts.notices;
    this.driverRemark = parts.driverRemark;
  }

  /** Keys and values on their way to other engines and from them. @throws Error on a platform that moves none */
  get kv(): KvTransfer {
    const { kv } = this.#parts;
    if (kv === undefined) throw new Error('this platform moves no keys and values between engines');
    return kv;
  }

  get failure(): Error | undefined {
    return this.#parts.gpu.failure;
  }

  /** The kernel variants in use for one row and for many, for reports. */
  kernels(): { decode: string[]; prefill: string[] } {
    return kernelsOf(this.#parts.model);
  }

  /**
   * Starts a generation. It runs at once, together with the others under way.
   *
   * @throws RidgepointError when an option is out of range, the prompt is empty, too long or cannot be encoded
   */
  generate(prompt: Prompt, options: GenerateOptions = {}): Generation {
    const generation = this.#begin(prompt, options);
    if (!generation.done) this.#parts.loop.add(generation);
    return generation;
  }

  /**
   * Starts a generation that is not queued before something has settled, such as the coming of its keys and values;
   * whether that went well makes no difference.
   *
   * @throws RidgepointError as `generate`
   */
  generateAfter(prompt: Prompt, options: GenerateOptions, before: Before): Generation {
    const generation = this.#begin(prompt, options);
    if (!generation.done) this.#pending.add(generation, before, (ready) => this.#parts.loop.add(ready));
    return generation;
  }

  /**
   * Pools the last hidden states of prompts, as they are after the final norm, into one vector each. Prompts go through
   * in chunks beside what is generated, every one computed from its first token on.
   *
   * @param input text or token ids, or a list of either: up to 2048, each at most the context long
   * @returns a vector of `dimensions` numbers for each, in order; of length 1 where `normalize` is not false
   * @throws RidgepointError ('usage') where the model is not meant for embeddings and `pooling` is not given, or an
   *   option is out of range, ('prompt') naming an input that is empty, too long or has an id that is none; the
   *   signal's reason where it is aborted
   */
  async embed(input: Prompt | readonly Prompt[], options: EmbedOptions = {}): Promise<Embeddings> {
    this.assertUsable();
    const { hidden } = this.config;
    checkEmbedOptions(options, hidden);
    const { checkInputs, Embedder, finished, poolingOf, promptList } = await import('./embedding.js');
    const { pooling, normalize } = poolingOf(this.info, this.#parts.pooling, options);
    const { dimensions = hidden, priority, signal } = options;
    const prompts: (readonly number[])[] = [];
    for (const prompt of promptList(input)) {
      prompts.push(typeof prompt === 'string' ? await this.tokenizeInSlices(prompt, { signal }) : prompt);
    }
    await inSlices(checkInputs(prompts, this.config, this.info), signal);
    this.assertUsable();
    this.#embedder ??= new Embedder(this.#parts.embedding);
    const vectors = await this.#embedder.pool(prompts, {
      ...{ pooling, priority, signal },
      nextId: () => this.#nextId++,
      finish: (pooled) => finished(pooled, dimensions, normalize),
    });
    return { vectors, tokens: prompts.map(({ length }) => length) };
  }

  #begin(prompt: Prompt, options: GenerateOptions): RunningGeneration {
    return this.prepare(prompt, options, {
      sequence: (checked) => this.#sequence(checked),
      cancel: (abandoned) => this.#parts.loop.abort(abandoned),
    });
  }

  #sequence({ promptIds, options, sampling, maxTokens }: CheckedGeneration): ScheduledSequence {
    return new ScheduledSequence(this.#nextId++, promptIds.length, maxTokens, {
      priority: options.priority,
      resumed: options.resume?.length,
      // Penalties change with each token, so rows behind a guess would be judged by stale ones.
      hostStepped: options.constraint !== undefined || (this.#parts.speculates && !needsTokenState(sampling)),
      blockNames: this.#parts.prefixCaching ? blockNames(promptIds, BLOCK_TOKENS) : [],
    });
  }

  get scheduling(): Scheduling {
    const { loop } = this.#parts;
    return {
      moment: () => loop.moment(),
      watch: (watcher) => loop.watchers.add(watcher),
      outline: (promptIds, options) => {
        const sampling = this.resolve(options, () => 0);
        const { maxTokens } = tokenLimit(this.#parts, promptIds, options);
        return this.#sequence({ promptIds, options, sampling, maxTokens });
      },
    };
  }

  /** Resolves when the kernels for larger batches, compiled in the background, are there too. */
  get ready(): Promise<void> {
    return this.#parts.model.ready;
  }

  /** Single steps of chosen shape, for benchmarks and profiles; not while the engine generates. */
  probe(): StepProbe {
    this.assertUsable();
    return new StepProbe(this.#parts.gpu, this.#parts.model, this.#parts.probeLimits);
  }

  /**
   * Times the engine's steps on the GPU, one pass each, while something runs.
   *
   * @param most steps timed
   * @throws Error where the adapter has no timestamps
   */
  async timeSteps(most: number, run: () => Promise<unknown>): Promise<PassTime[]> {
    this.assertUsable();
    const { gpu, loop } = this.#parts;
    const clock = new PassClock(gpu, most);
    loop.clock = clock;
    try {
      await run();
      loop.clock = undefined;
      return await clock.read();
    } finally {
      loop.clock = undefined;
      clock.end();
    }
  }

  stats(): EngineStats {
    const { scheduler, loop, info } = this.#parts;
    const { waiting, running, freeBlocks, counts } = scheduler;
    return {
      waiting: waiting + this.#pending.size,
      running,
      kvBlocks: info.kvCacheTokens / BLOCK_TOKENS,
      kvBlocksFree: freeBlocks,
      ...counts,
      ...loop.counts,
    };
  }

  /** Aborts what runs and frees the GPU. Safe to call twice. */
  dispose(): Promise<void> {
    return (this.#disposal ??= this.#dispose());
  }

  async #dispose(): Promise<void> {
    await this.closeText();
    this.#pending.abort();
    await this.#parts.loop.stop();
    await this.#parts.model.ready;
    await this.#parts.gpu.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  protected assertUsable(): void {
    if (this.#disposal !== undefined) throw new RidgepointError('usage', 'the engine was disposed; load another');
  }
}
