import { allocatePagedKv, mostBlocks, type PagedKv } from '../cache/paged-kv.js';
import { blocksFor } from '../cache/block-pool.js';
import { openCheckpoint, type Checkpoint } from '../checkpoint/checkpoint.js';
import type { ModelFolder } from '../checkpoint/source.js';
import { RidgepointError } from '../errors.js';
import { tierOf } from '../gpu/capabilities.js';
import { Gpu } from '../gpu/gpu.js';
import { BLOCK_TOKENS, kvBlockBytes } from '../kernels/attention-shape.js';
import { parseLlamaConfig, type LlamaConfig } from '../model/config.js';
import { LlamaModel } from '../model/llama.js';
import { embeddingsTied, loadCheckpoint, loadSynthetic } from '../model/load-weights.js';
import { parameterCount } from '../model/operations.js';
import { allocateWeights } from '../model/weights.js';
import { IncrementalDetokenizer } from '../tokenizer/detokenizer.js';
import { StopMatcher } from '../tokenizer/stop.js';
import { Tokenizer } from '../tokenizer/tokenizer.js';
import type {
  ChatMessage,
  EngineInfo,
  EngineOptions,
  GenerateOptions,
  Generation,
  LoadTimings,
  Prompt,
  SamplingOptions,
  TextEngine,
} from './api.js';
import { RunningGeneration } from './generation.js';
import type { EngineHost } from './host.js';
import { StepProbe } from './probe.js';
import { checkMemory, planMemory } from './memory-plan.js';
import { checkGenerateOptions, parseGenerationConfig, resolveSampling } from './sampling.js';
import { ScheduledSequence, Scheduler } from './scheduler.js';
import { StepLoop } from './step-loop.js';

type GenerationDefaults = ReturnType<typeof parseGenerationConfig>;
type ChatEncoder = (messages: readonly ChatMessage[]) => number[];

/** Longest context made room for when nobody asks for more; a cache for 128k tokens would surprise. */
const DEFAULT_CONTEXT = 4096;
const DEFAULT_SEQUENCES = 8;
const DEFAULT_PREFILL_CHUNK = 512;

interface EngineParts {
  readonly gpu: Gpu;
  readonly host: EngineHost;
  readonly config: LlamaConfig;
  readonly model: LlamaModel;
  readonly loop: StepLoop;
  readonly scheduler: Scheduler;
  readonly tokenizer: Tokenizer | undefined;
  readonly encodeChat: ChatEncoder | undefined;
  readonly generationDefaults: GenerationDefaults;
  readonly info: EngineInfo;
  readonly timings: LoadTimings;
  readonly kvTokens: number;
  readonly hint: string | undefined;
  readonly probeLimits: ConstructorParameters<typeof StepProbe>[2];
}

/** A loaded model that generates text; made by `startEngine`. */
export class CoreEngine implements TextEngine {
  readonly info: EngineInfo;
  readonly config: LlamaConfig;
  readonly timings: LoadTimings;
  /** One line about a faster driver, where there is one to be had. */
  readonly hint: string | undefined;
  #nextId = 0;
  #disposal: Promise<void> | undefined;

  constructor(private readonly parts: EngineParts) {
    this.info = parts.info;
    this.config = parts.config;
    this.timings = parts.timings;
    this.hint = parts.hint;
  }

  get hasTokenizer(): boolean {
    return this.parts.tokenizer !== undefined;
  }

  get hasChatTemplate(): boolean {
    return this.parts.encodeChat !== undefined;
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
    const { config, host, tokenizer, generationDefaults, loop } = this.parts;
    checkGenerateOptions(options, config.vocab);
    const sampling = resolveSampling(options, this.defaults, config.vocab, () => host.randomSeed());
    const promptIds = typeof prompt === 'string' ? this.tokenize(prompt) : idList(prompt);
    const { maxTokens, limitReason } = this.#tokenLimit(promptIds, options);
    if (options.stop !== undefined && options.stop.length > 0 && tokenizer === undefined) {
      throw new RidgepointError('usage', 'stop strings need a tokenizer, which this model folder lacks');
    }
    const output = tokenizer && {
      detokenizer: new IncrementalDetokenizer(tokenizer, { context: promptIds }),
      stops: new StopMatcher([...(options.stop ?? [])]),
    };
    const eos = generationDefaults.eosTokenIds.length > 0 ? generationDefaults.eosTokenIds : this.config.eosTokenIds;
    const generation = new RunningGeneration(
      new ScheduledSequence(this.#nextId++, promptIds.length, maxTokens),
      promptIds,
      sampling,
      options,
      new Set(eos),
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

  chatPrompt(messages: readonly ChatMessage[]): number[] {
    if (this.parts.encodeChat === undefined) {
      throw new RidgepointError(
        'usage',
        `${this.info.model} has no chat template; use generate with a plain prompt instead`,
      );
    }
    return this.parts.encodeChat(messages);
  }

  tokenize(text: string): number[] {
    return this.#tokenizer().encode(text);
  }

  detokenize(ids: readonly number[]): string {
    return this.#tokenizer().decode(ids);
  }

  /** Aborts what runs and frees the GPU. Safe to call twice. */
  dispose(): Promise<void> {
    return (this.#disposal ??= this.#dispose());
  }

  async #dispose(): Promise<void> {
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
    const { contextLength } = this.info;
    const { kvTokens } = this.parts;
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

function positive(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) {
    throw new RidgepointError('usage', `${name} must be a whole number of at least 1, found ${value}`);
  }
  return value;
}

function oneOf(name: string, value: string | undefined, known: readonly string[]): void {
  if (value === undefined || known.includes(value)) return;
  throw new RidgepointError('usage', `${name} must be one of ${known.join(', ')}, found ${value}`);
}

/** Checks the options that are words. @throws RidgepointError naming the option */
function checkWords({ dtype, kvDtype, weights }: EngineOptions): void {
  oneOf('dtype', dtype, ['auto', 'f16', 'bf16', 'f32']);
  oneOf('kvDtype', kvDtype, ['auto', 'f16', 'f32']);
  oneOf('weights', weights, ['checkpoint', 'synthetic']);
}

/** Work on a lost device fails in many ways; the loss is what the user must know. */
function reasonOf(gpu: Gpu, error: unknown): unknown {
  try {
    if (gpu.lost) gpu.check();
  } catch (loss) {
    return loss;
  }
  return error;
}

async function readJson(folder: ModelFolder | undefined, file: string): Promise<unknown> {
  const text = await folder?.readText(file);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RidgepointError('checkpoint', `${file}: is not valid JSON; download it again`, { cause });
  }
}

async function openTokenizer(
  folder: ModelFolder | undefined,
): Promise<{ tokenizer: Tokenizer | undefined; encodeChat: ChatEncoder | undefined }> {
  const [json, config, chatTemplate] = await Promise.all([
    readJson(folder, 'tokenizer.json'),
    readJson(folder, 'tokenizer_config.json'),
    folder?.readText('chat_template.jinja'),
  ]);
  if (json === undefined) return { tokenizer: undefined, encodeChat: undefined };
  const tokenizer = Tokenizer.fromJson(json, config, { chatTemplate });
  tokenizer.prepare();
  if (tokenizer.chatTemplate === undefined) return { tokenizer, encodeChat: undefined };
  const { encodeChat } = await import('../tokenizer/chat.js');
  return { tokenizer, encodeChat: (messages) => encodeChat(tokenizer, messages) };
}

/** Sizes of an engine, from its options and its model. */
function engineLimits(options: EngineOptions, config: LlamaConfig) {
  const asked = options.contextLength;
  if (asked !== undefined && positive('contextLength', asked) > config.maxPositions) {
    throw new RidgepointError(
      'usage',
      `contextLength ${asked} is more than the ${config.maxPositions} positions the model was made for`,
    );
  }
  const contextLength = asked ?? Math.min(config.maxPositions, DEFAULT_CONTEXT);
  const sequences = positive('maxSequences', options.maxSequences ?? DEFAULT_SEQUENCES);
  const chunk = positive('prefillChunk', options.prefillChunk ?? DEFAULT_PREFILL_CHUNK);
  return {
    kvTokens: positive('kvCacheTokens', options.kvCacheTokens ?? contextLength),
    limits: { contextLength, sequences, stepTokens: Math.max(Math.min(chunk, contextLength), sequences) },
  };
}

/** Rounding keys and values to f16 can tip a near tie, so a cache that costs little in f32 is kept in f32. */
const SMALL_CACHE_BYTES = 64 << 20;

function chooseKvDtype({ kvDtype }: EngineOptions, config: LlamaConfig, kvTokens: number): 'f16' | 'f32' {
  if (kvDtype !== undefined && kvDtype !== 'auto') return kvDtype;
  const bytes = 2 * config.layers * blocksFor(kvTokens, BLOCK_TOKENS) * kvBlockBytes(config, 'f32');
  return bytes <= SMALL_CACHE_BYTES ? 'f32' : 'f16';
}

function allocateCache(gpu: Gpu, config: LlamaConfig, stored: 'f16' | 'f32', kvTokens: number): PagedKv {
  const blocks = blocksFor(kvTokens, BLOCK_TOKENS);
  const most = mostBlocks(gpu, config, stored);
  if (blocks > most) {
    throw new RidgepointError(
      'memory',
      `a KV cache of ${kvTokens} tokens needs ${blocks} blocks a layer, but ${gpu.name} binds at most ${most}; ask for at most ${most * BLOCK_TOKENS} tokens`,
    );
  }
  return allocatePagedKv(gpu, config, stored, config.layers, blocks);
}

/**
 * Loads a model onto a GPU. Pipelines are compiled while weights stream in.
 *
 * @throws RidgepointError naming the file, tensor or option that is wrong, or what does not fit
 */
export async function startEngine(options: EngineOptions, host: EngineHost): Promise<CoreEngine> {
  const begin = performance.now();
  checkWords(options);
  const spent: Record<string, number> = {};
  const timed = async <T>(name: string, work: Promise<T>): Promise<T> => {
    const from = performance.now();
    const result = await work;
    spent[name] = performance.now() - from;
    return result;
  };
  const source = await timed('adapter', host.openGpu(options.adapter));
  const gpu = await timed('device', Gpu.open(source));
  let checkpoint: Checkpoint | undefined;
  try {
    const { onProgress, signal } = options;
    const found = await timed('checkpoint', host.openModel(options.model, { onProgress, signal }));
    const config = parseLlamaConfig(found.config, found.configName);
    const synthetic = options.weights === 'synthetic';
    if (found.folder === undefined && !synthetic) {
      throw new RidgepointError(
        'usage',
        `${found.name} is a preset without weights; add --weights synthetic, or give a folder or a Hub name`,
      );
    }
    const tokenizing = timed('tokenizer', openTokenizer(found.folder));
    tokenizing.catch(() => undefined); // awaited below
    const generationDefaults = parseGenerationConfig(await readJson(found.folder, 'generation_config.json'));
    if (!synthetic && found.folder !== undefined) checkpoint = await openCheckpoint(found.folder);
    const tied = checkpoint === undefined ? config.tiedEmbeddings : embeddingsTied(config, checkpoint);

    const dtype = options.dtype === undefined || options.dtype === 'auto' ? 'f16' : options.dtype;
    const { limits, kvTokens } = engineLimits(options, config);
    const kvDtype = chooseKvDtype(options, config, kvTokens);
    const request = { model: found.name, config, dtype, kvDtype, tied, limits, kvTokens };
    const plan = planMemory(request);
    checkMemory(request, plan, await source.freeBytes(), source.name);

    const { weights, cache } = await gpu.checkedAllocation(`${found.name} in ${dtype}`, () => ({
      weights: allocateWeights(gpu, config, dtype, tied),
      cache: allocateCache(gpu, config, kvDtype, kvTokens),
    }));
    gpu.pipelines.onProgress = (done, total, item) =>
      onProgress?.({ stage: 'pipelines', item, done, total, unit: 'pipelines' });
    const compiling = timed(
      'pipelines',
      gpu
        .checkedAllocation('activations', () => LlamaModel.create(gpu, config, weights, cache, limits))
        .then(async (model) => {
          await model.warmUp(gpu);
          return model;
        }),
    );
    const loadOptions = {
      check: options.checkWeights,
      signal,
      onProgress: (done: number, item: string) =>
        onProgress?.({ stage: 'weights', item, done, total: weights.bytes, unit: 'bytes' }),
    };
    const loading = timed(
      'weights',
      checkpoint === undefined
        ? loadSynthetic(gpu, config, weights, loadOptions)
        : loadCheckpoint(gpu, config, checkpoint, weights, loadOptions),
    );
    const settled = await Promise.allSettled([compiling, loading, tokenizing]);
    for (const outcome of settled) if (outcome.status === 'rejected') throw outcome.reason;
    const model = await compiling;
    const { tokenizer, encodeChat } = await tokenizing;
    gpu.check();

    const scheduler = new Scheduler({
      sequences: limits.sequences,
      blocks: cache.blocks,
      blockTokens: BLOCK_TOKENS,
      stepTokens: limits.stepTokens,
    });
    return new CoreEngine({
      gpu,
      host,
      config,
      model,
      scheduler,
      loop: new StepLoop(gpu, model, scheduler, limits.sequences),
      tokenizer,
      encodeChat,
      generationDefaults,
      hint: source.hint,
      kvTokens: cache.blocks * BLOCK_TOKENS,
      probeLimits: { ...limits, blocks: cache.blocks },
      info: {
        adapter: source.name,
        driver: source.driver,
        tier: tierOf(gpu.capabilities),
        model: found.name,
        dtype,
        kvDtype,
        contextLength: limits.contextLength,
        parameters: parameterCount({ ...config, tiedEmbeddings: tied }),
        weightBytes: weights.bytes,
        kvCacheBytes: cache.bytes,
      },
      timings: { ...(spent as unknown as LoadTimings), total: performance.now() - begin },
    });
  } catch (error) {
    const reason = reasonOf(gpu, error);
    await gpu.dispose();
    throw reason;
  } finally {
    await checkpoint?.close();
  }
}
