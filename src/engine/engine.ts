import { blockNames } from '../cache/block-names.js';
import { RidgepointError } from '../errors.js';
import { PassClock, type PassTime } from '../gpu/pass-clock.js';
import { BLOCK_TOKENS } from '../kernels/attention-shape.js';
import { type LlamaConfig } from '../model/config.js';
import { TextOutput } from '../tokenizer/text-output.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { tokenVocabulary, type TokenVocabulary } from '../tokenizer/vocabulary.js';
import type {
  ChatMessage,
  EngineInfo,
  EngineStats,
  GenerateOptions,
  Generation,
  LoadTimings,
  Prompt,
  SamplingOptions,
  TextEngine,
} from './api.js';
import { RunningGeneration } from './generation.js';
import type { EngineParts } from './engine-parts.js';
import type { AsideRenderer } from './host.js';
import { StepProbe } from './probe.js';
import { checkGenerateOptions, needsTokenState, resolveSampling } from './sampling.js';
import { ScheduledSequence } from './sequence.js';

/** A loaded model that generates text; made by `startEngine`. */
export class CoreEngine implements TextEngine {
  readonly info: EngineInfo;
  readonly config: LlamaConfig;
  readonly timings: LoadTimings;
  /** One line about a faster driver, where there is one to be had. */
  readonly hint: string | undefined;
  /** One line about what is left out for the driver's sake, where something is. */
  readonly driverRemark: string | undefined;
  readonly vocabulary: TokenVocabulary | undefined;
  /** What a user should know of the model's files, a sentence each. */
  readonly notices: readonly string[];
  #nextId = 0;
  #disposal: Promise<void> | undefined;
  #aside: AsideRenderer | undefined;

  constructor(private readonly parts: EngineParts) {
    this.info = parts.info;
    this.config = parts.config;
    this.timings = parts.timings;
    this.hint = parts.hint;
    this.notices = parts.notices;
    this.driverRemark = parts.driverRemark;
    this.vocabulary =
      parts.tokenizer && tokenVocabulary(parts.tokenizer, { size: parts.config.vocab, eosIds: parts.eosIds });
  }

  get failure(): Error | undefined {
    return this.parts.gpu.failure;
  }

  get hasTokenizer(): boolean {
    return this.parts.tokenizer !== undefined;
  }

  get hasChatTemplate(): boolean {
    return this.parts.chatText !== undefined;
  }

  get defaults(): SamplingOptions & Pick<GenerateOptions, 'maxTokens'> {
    const { sampling, maxNewTokens } = this.parts.generationDefaults;
    return { ...sampling, ...(maxNewTokens === undefined ? {} : { maxTokens: maxNewTokens }) };
  }

  /** The kernel variants in use for one row and for many, for reports. */
  kernels(): { decode: string[]; prefill: string[] } {
    return {
      decode: this.parts.model.matmulVariants(1, 'decode'),
      prefill: this.parts.model.matmulVariants(512, 'prefill'),
    };
  }

  /**
   * Starts a generation. It runs at once, together with the others under way.
   *
   * @throws RidgepointError when an option is out of range, the prompt is empty, too long or cannot be encoded
   */
  generate(prompt: Prompt, options: GenerateOptions = {}): Generation {
    const startedAt = performance.now();
    this.#assertUsable();
    const { config, host, tokenizer, loop, eosIds } = this.parts;
    checkGenerateOptions(options, config.vocab);
    const sampling = resolveSampling(options, this.defaults, config.vocab, () => host.randomSeed());
    const promptIds = typeof prompt === 'string' ? this.tokenize(prompt) : idList(prompt);
    const { maxTokens, limitReason } = this.#tokenLimit(promptIds, options);
    if (options.stop !== undefined && options.stop.length > 0 && tokenizer === undefined) {
      throw new RidgepointError('usage', 'stop strings need a tokenizer, which this model folder lacks');
    }
    const output = tokenizer && new TextOutput(tokenizer, promptIds, options.stop ?? []);
    const generation = new RunningGeneration(
      new ScheduledSequence(this.#nextId++, promptIds.length, maxTokens, {
        priority: options.priority,
        // Penalties change with each token, so rows behind a guess would be judged by stale ones.
        hostStepped: options.constraint !== undefined || (this.parts.speculates && !needsTokenState(sampling)),
        blockNames: this.parts.prefixCaching ? blockNames(promptIds, BLOCK_TOKENS) : [],
      }),
      promptIds,
      sampling,
      options,
      eosIds,
      limitReason,
      output,
      startedAt,
      (abandoned) => loop.abort(abandoned),
    );
    const { signal } = options;
    if (signal?.aborted) {
      generation.finish('abort');
      return generation;
    }
    const abort = (): void => loop.abort(generation);
    signal?.addEventListener('abort', abort, { once: true });
    void generation.result.finally(() => signal?.removeEventListener('abort', abort)).catch(() => undefined);
    loop.add(generation);
    return generation;
  }

  /** Resolves when the kernels for larger batches, compiled in the background, are there too. */
  get ready(): Promise<void> {
    return this.parts.model.ready;
  }

  /** Single steps of chosen shape, for benchmarks and profiles; not while the engine generates. */
  probe(): StepProbe {
    this.#assertUsable();
    return new StepProbe(this.parts.gpu, this.parts.model, this.parts.probeLimits);
  }

  /**
   * Times the engine's steps on the GPU, one pass each, while something runs.
   *
   * @param most steps timed
   * @throws Error where the adapter has no timestamps
   */
  async timeSteps(most: number, run: () => Promise<unknown>): Promise<PassTime[]> {
    this.#assertUsable();
    const { gpu, loop } = this.parts;
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

  tokenBytes(id: number): Uint8Array {
    return this.parts.tokenizer?.bytesOf(id) ?? new Uint8Array(0);
  }

  chatText(messages: readonly ChatMessage[]): string {
    if (this.parts.chatText === undefined) {
      throw new RidgepointError(
        'usage',
        `${this.info.model} has no chat template; use generate with a plain prompt instead`,
      );
    }
    return this.parts.chatText(messages);
  }

  async chatTextAside(messages: readonly ChatMessage[]): Promise<string> {
    this.#assertUsable();
    const { tokenizer, host } = this.parts;
    const { chatTemplate: template, bosToken, eosToken } = tokenizer ?? {};
    if (template !== undefined) this.#aside ??= host.chatAside?.({ template, bosToken, eosToken });
    return this.#aside?.render(messages) ?? this.chatText(messages);
  }

  chatPrompt(messages: readonly ChatMessage[]): number[] {
    return this.tokenize(this.chatText(messages), { addSpecialTokens: false });
  }

  tokenize(text: string, options?: { readonly addSpecialTokens?: boolean }): number[] {
    return this.#tokenizer().encode(text, options);
  }

  tokenizeInSlices(
    text: string,
    { signal, ...options }: { readonly addSpecialTokens?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<number[]> {
    return this.#tokenizer().encodeInSlices(text, options, signal);
  }

  detokenize(ids: readonly number[]): string {
    return this.#tokenizer().decode(ids);
  }

  stats(): EngineStats {
    const { scheduler, loop, info } = this.parts;
    const { waiting, running, freeBlocks, counts } = scheduler;
    return {
      waiting,
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
    await this.#aside?.close();
    await this.parts.loop.stop();
    await this.parts.model.ready;
    await this.parts.gpu.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  #assertUsable(): void {
    if (this.#disposal !== undefined) throw new RidgepointError('usage', 'the engine was disposed; load another');
  }

  #tokenizer(): Tokenizer {
    const { tokenizer } = this.parts;
    if (tokenizer === undefined) {
      throw new RidgepointError(
        'usage',
        `${this.info.model} has no tokenizer.json; give token ids instead of text (--prompt-ids on the command line)`,
      );
    }
    return tokenizer;
  }

  #tokenLimit(
    promptIds: readonly number[],
    options: GenerateOptions,
  ): { maxTokens: number; limitReason: 'length' | 'context' } {
    const { vocab } = this.config;
    if (promptIds.length === 0) {
      throw new RidgepointError('prompt', 'the prompt has no tokens; give some text or at least one token id');
    }
    for (const id of promptIds) {
      if (!Number.isInteger(id) || id < 0 || id >= vocab) {
        throw new RidgepointError('prompt', `token id ${id} is not in the vocabulary, whose ids are 0 to ${vocab - 1}`);
      }
    }
    const room = this.#room(promptIds.length);
    const { maxNewTokens, maxLength } = this.parts.generationDefaults;
    const byModel =
      maxNewTokens ??
      (maxLength !== undefined && maxLength > promptIds.length ? maxLength - promptIds.length : Infinity);
    const wanted = options.maxTokens ?? byModel;
    return wanted > room ? { maxTokens: room, limitReason: 'context' } : { maxTokens: wanted, limitReason: 'length' };
  }

  /** Tokens that may follow a prompt. @throws RidgepointError where there is no room for one */
  #room(promptLength: number): number {
    const { contextLength, kvCacheTokens: kvTokens } = this.info;
    // The last token is never fed back, so the cache needs no place for it.
    if (promptLength < contextLength && promptLength <= kvTokens) {
      return Math.min(contextLength, kvTokens + 1) - promptLength;
    }
    const has = `the prompt has ${promptLength} tokens, but`;
    if (promptLength < contextLength) {
      throw new RidgepointError(
        'prompt',
        `${has} the KV cache has room for ${kvTokens}; shorten it or load with a larger kvCacheTokens`,
      );
    }
    const { maxPositions } = this.config;
    const longer = contextLength < maxPositions ? ` or ask for up to ${maxPositions} with --context-length` : '';
    throw new RidgepointError('prompt', `${has} the context is ${contextLength}; shorten it${longer}`);
  }
}

function idList(prompt: readonly number[]): number[] {
  // Types are not there at run time, where a string may have become undefined or an object.
  if (Array.isArray(prompt) || ArrayBuffer.isView(prompt)) return [...(prompt as readonly number[])];
  throw new RidgepointError('usage', `the prompt must be text or a list of token ids, found ${typeof prompt}`);
}
