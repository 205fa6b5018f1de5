import { RidgepointError } from '../errors.js';
import type { ModelConfig } from '../model/config.js';
import { writesNothing } from '../model/headless.js';
import type { ChatRenderer } from '../model/tokenizer-files.js';
import type { ScheduledSequence } from '../scheduler/sequence.js';
import { TextOutput } from '../tokenizer/text-output.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { tokenVocabulary, type TokenVocabulary } from '../tokenizer/vocabulary.js';
import type {
  ChatMessage,
  ChatWishes,
  EngineInfo,
  GenerateOptions,
  LoadTimings,
  Prompt,
  SamplingOptions,
} from './api.js';
import { RunningGeneration } from './generation.js';
import type { GenerationConfig } from './generation-config.js';
import type { AsideRenderer, EngineHost } from './host.js';
import { withLeastTokens } from './least-tokens.js';
import * as checks from './options/sampling.js';
import { tokenLimit } from './token-limit.js';

/** A model as far as it is about text. */
export interface TextParts {
  readonly host: Pick<EngineHost, 'randomSeed' | 'chatAside'>;
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer | undefined;
  readonly chatText: ChatRenderer | undefined;
  readonly generationDefaults: GenerationConfig;
  /** The ids that end a generation. */
  readonly eosIds: readonly number[];
  readonly info: EngineInfo;
  readonly timings: LoadTimings;
}

/** What a generation is checked into: its prompt's ids, and its options with all that the model says of them. */
export interface CheckedGeneration {
  readonly promptIds: readonly number[];
  readonly options: GenerateOptions;
  readonly sampling: checks.ResolvedSampling;
  readonly maxTokens: number;
}

/** All of an engine that needs no GPU: texts, chats, and generations up to where their tokens come from. */
export abstract class TextSide {
  readonly info: EngineInfo;
  readonly config: ModelConfig;
  readonly timings: LoadTimings;
  readonly vocabulary: TokenVocabulary | undefined;
  #aside: AsideRenderer | undefined;
  readonly #parts: TextParts;

  constructor(parts: TextParts) {
    this.#parts = parts;
    this.info = parts.info;
    this.config = parts.config;
    this.timings = parts.timings;
    this.vocabulary =
      parts.tokenizer && tokenVocabulary(parts.tokenizer, { size: parts.config.vocab, eosIds: parts.eosIds });
  }

  get hasTokenizer(): boolean {
    return this.#parts.tokenizer !== undefined;
  }

  get whyNoText(): string | undefined {
    return this.config.headless ? writesNothing(this.info.model) : undefined;
  }

  get hasChatTemplate(): boolean {
    return this.#parts.chatText !== undefined;
  }

  get defaults(): SamplingOptions & Pick<GenerateOptions, 'maxTokens'> {
    const { sampling, maxNewTokens } = this.#parts.generationDefaults;
    return { ...sampling, ...(maxNewTokens === undefined ? {} : { maxTokens: maxNewTokens }) };
  }

  /**
   * Checks a generation; it then waits for tokens to be pushed to it.
   *
   * @param source.sequence what is known of its scheduling
   * @param source.cancel ends it where its tokens come from
   * @throws RidgepointError when an option is out of range, the prompt is empty, too long or cannot be encoded
   */
  protected prepare(
    prompt: Prompt,
    given: GenerateOptions,
    source: {
      readonly sequence: (checked: CheckedGeneration) => ScheduledSequence;
      readonly cancel: (generation: RunningGeneration) => void;
    },
  ): RunningGeneration {
    const started = performance.now();
    this.assertUsable();
    const { config, tokenizer, eosIds } = this.#parts;
    if (this.whyNoText !== undefined) throw new RidgepointError('usage', this.whyNoText);
    checks.checkGenerateOptions(given, config.vocab);
    const options = withLeastTokens(given, eosIds, config.vocab);
    const sampling = this.resolve(options);
    const promptIds = typeof prompt === 'string' ? this.tokenize(prompt) : idList(prompt);
    const { maxTokens, limitReason } = tokenLimit(this.#parts, promptIds, options);
    checks.checkResumed(options.resume, config.vocab, maxTokens);
    checks.checkStopsHaveText(options, tokenizer !== undefined);
    const output = tokenizer && new TextOutput(tokenizer, promptIds, options);
    const sequence = source.sequence({ promptIds, options, sampling, maxTokens });
    const { cancel } = source;
    const generation = new RunningGeneration({
      ...{ sequence, promptIds, sampling, options, eosIds, limitReason, output, started, cancel },
    });
    const { signal } = options;
    if (signal?.aborted) {
      generation.finish('abort');
      return generation;
    }
    const abort = (): void => cancel(generation);
    signal?.addEventListener('abort', abort, { once: true });
    void generation.result.finally(() => signal?.removeEventListener('abort', abort)).catch(() => undefined);
    return generation;
  }

  /** Sampling options with the model's own and a seed. */
  protected resolve(options: GenerateOptions, randomSeed = this.#parts.host.randomSeed): checks.ResolvedSampling {
    return checks.resolveSampling(options, this.defaults, this.config.vocab, randomSeed);
  }

  /** @throws RidgepointError where it was disposed */
  protected abstract assertUsable(): void;

  tokenBytes(id: number): Uint8Array {
    return this.#parts.tokenizer?.bytesOf(id) ?? new Uint8Array(0);
  }

  get chatTemplate(): string | undefined {
    return this.#parts.tokenizer?.chatTemplate;
  }

  chatText(messages: readonly ChatMessage[], wishes?: ChatWishes): string {
    if (this.#parts.chatText === undefined) {
      throw new RidgepointError(
        'usage',
        `${this.info.model} has no chat template; use generate with a plain prompt instead`,
      );
    }
    return this.#parts.chatText(messages, wishes);
  }

  async chatTextAside(messages: readonly ChatMessage[], wishes?: ChatWishes, signal?: AbortSignal): Promise<string> {
    this.assertUsable();
    const { tokenizer, host } = this.#parts;
    const { chatTemplate: template, toolTemplate, bosToken, eosToken } = tokenizer ?? {};
    if (template !== undefined) this.#aside ??= host.chatAside?.({ template, toolTemplate, bosToken, eosToken });
    return this.#aside?.render(messages, wishes, signal) ?? this.chatText(messages, wishes);
  }

  chatPrompt(messages: readonly ChatMessage[], wishes?: ChatWishes): number[] {
    return this.tokenize(this.chatText(messages, wishes), { addSpecialTokens: false });
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

  /** Ends what renders chats aside. */
  protected async closeText(): Promise<void> {
    await this.#aside?.close();
  }

  #tokenizer(): Tokenizer {
    const { tokenizer } = this.#parts;
    if (tokenizer === undefined) {
      throw new RidgepointError('usage', `${this.info.model} has no tokenizer.json; give token ids instead of text`);
    }
    return tokenizer;
  }
}

function idList(prompt: readonly number[]): number[] {
  // Types are not there at run time, where a string may have become undefined or an object.
  if (Array.isArray(prompt) || ArrayBuffer.isView(prompt)) return [...(prompt as readonly number[])];
  throw new RidgepointError('usage', `the prompt must be text or a list of token ids, found ${typeof prompt}`);
}
