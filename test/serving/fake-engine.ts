import type {
  ChatMessage,
  ChatWishes,
  EngineInfo,
  EngineStats,
  FinishReason,
  GenerateOptions,
  Generation,
  GenerationChunk,
  GenerationResult,
  LoadTimings,
  Prompt,
  TextEngine,
  TokenLogprob,
  TokenVocabulary,
} from '../../src/engine/api.js';
import { parseConfig } from '../../src/model/config.js';
import { checkGenerateOptions, resolveSampling } from '../../src/engine/options/sampling.js';
import { renderChat } from '../../src/tokenizer/chat.js';
import { StopMatcher } from '../../src/tokenizer/stop.js';
import { Mailbox } from '../../src/serving/mailbox.js';

const VOCAB = 260;
const BOS = 256;
export const EOS = 257;
const SHAPE = {
  architectures: ['LlamaForCausalLM'],
  hidden_size: 24,
  intermediate_size: 44,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 6,
  num_hidden_layers: 2,
  vocab_size: VOCAB,
  max_position_embeddings: 1 << 20,
  rms_norm_eps: 1e-5,
  eos_token_id: EOS,
  tie_word_embeddings: false,
};

const utf8 = new TextEncoder();

export interface FakeOptions {
  /** What it answers with, a byte a token; a text of its own for each prompt. */
  readonly reply?: (prompt: string) => string;
  /** Waited for before each token. */
  readonly step?: () => Promise<void>;
  readonly contextLength?: number;
  readonly kvCacheTokens?: number;
  readonly chat?: boolean;
  readonly template?: (messages: readonly ChatMessage[], wishes?: ChatWishes) => string;
  /** Jinja source, which is rendered where there is no function. */
  readonly chatTemplate?: string;
}

interface Call {
  readonly prompt: readonly number[];
  readonly options: GenerateOptions;
}

/** An engine whose tokens are bytes and whose answers are known, for what is about HTTP and not about models. */
export class FakeEngine implements TextEngine {
  readonly config = parseConfig(SHAPE);
  readonly timings = {} as LoadTimings;
  readonly hasTokenizer = true;
  readonly hasChatTemplate: boolean;
  readonly defaults = {};
  readonly vocabulary: TokenVocabulary = {
    size: VOCAB,
    bytes: (id) => (id < 256 ? Uint8Array.of(id) : undefined),
    eosIds: [EOS],
  };
  readonly info: EngineInfo;
  readonly calls: Call[] = [];
  /** Generations under way. */
  running = 0;
  aborted = 0;
  /** Thrown by the next token of whoever runs. */
  stepFailure: Error | undefined;
  /** Why there will never be another token. */
  failure: Error | undefined;

  readonly #options: FakeOptions;

  constructor(options: FakeOptions = {}) {
    this.#options = options;
    this.hasChatTemplate = options.chat ?? true;
    this.info = {
      adapter: 'none',
      driver: 'none',
      tier: 'fake',
      model: 'fake/bytes',
      dtype: 'f32',
      headDtype: 'f32',
      activations: 'f32',
      kvDtype: 'f32',
      disabled: [],
      excluded: [],
      contextLength: options.contextLength ?? 4096,
      prefillChunk: 512,
      parameters: 0,
      weightBytes: 0,
      kvCacheBytes: 0,
      kvCacheTokens: options.kvCacheTokens ?? 1 << 20,
      kvCacheChoice: 'as asked',
    };
  }

  generate(prompt: Prompt, options: GenerateOptions = {}): Generation {
    checkGenerateOptions(options, VOCAB);
    const { seed } = resolveSampling(options, this.defaults, VOCAB, () => 7);
    const promptIds = typeof prompt === 'string' ? this.tokenize(prompt) : prompt;
    this.calls.push({ prompt: promptIds, options });
    const text = this.detokenize(promptIds);
    const chunks = new Mailbox<GenerationChunk>();
    const result = this.#run(promptIds, this.#options.reply?.(text) ?? 'Hello, world.', options, chunks, seed);
    result.then(
      () => chunks.end(),
      (error: unknown) => chunks.end(error),
    );
    return { result, [Symbol.asyncIterator]: () => chunks[Symbol.asyncIterator]() };
  }

  async #run(
    promptIds: readonly number[],
    reply: string,
    options: GenerateOptions,
    chunks: Mailbox<GenerationChunk>,
    seed: number,
  ): Promise<GenerationResult> {
    this.running++;
    const script = [...utf8.encode(reply), EOS];
    const room = this.info.contextLength - promptIds.length;
    const limit = Math.min(options.maxTokens ?? Infinity, room);
    const stops = new StopMatcher([...(options.stop ?? [])]);
    const decoder = new TextDecoder();
    const ids: number[] = [];
    let text = '';
    let finishReason: FinishReason = 'length';
    try {
      while (ids.length < limit) {
        const isNew = ids.length >= (options.resume?.length ?? 0);
        if (isNew) await (this.#options.step?.() ?? new Promise((resolve) => setImmediate(resolve)));
        if (this.stepFailure !== undefined) throw this.stepFailure;
        if (options.signal?.aborted) {
          this.aborted++;
          finishReason = 'abort';
          break;
        }
        const id = this.#choose(script[ids.length] ?? EOS, options);
        ids.push(id);
        const piece = stops.push(id < 256 ? decoder.decode(Uint8Array.of(id), { stream: true }) : '');
        text += piece.text;
        if (isNew) chunks.push({ text: piece.text, ids: [id], ...logprobsOf(id, options.logprobs) });
        if (id === EOS) finishReason = 'eos';
        else if (piece.stop !== undefined) finishReason = 'stop';
        else continue;
        break;
      }
      const rest = finishReason === 'stop' ? '' : stops.push(decoder.decode()).text + stops.flush();
      if (rest !== '') chunks.push({ text: rest, ids: [] });
      text += rest;
      return { text, promptIds, ids, cachedTokens: 0, finishReason, seed, ttftMs: 1, tpotMs: 1, e2eMs: 2 };
    } finally {
      this.running--;
    }
  }

  /** What the script says, or else the lowest id that the constraint lets through. */
  #choose(wanted: number, { constraint }: GenerateOptions): number {
    if (constraint === undefined) return wanted;
    const allowed = constraint.allowed();
    const may = (id: number): boolean => ((allowed[id >> 5] >>> (id & 31)) & 1) === 1;
    let id = wanted;
    if (!may(id)) for (id = 0; !may(id); id++);
    constraint.accept(id);
    return id;
  }

  get chatTemplate(): string | undefined {
    return this.#options.chatTemplate;
  }

  chatText(messages: readonly ChatMessage[], wishes?: ChatWishes): string {
    const { chatTemplate } = this.#options;
    if (chatTemplate !== undefined) return renderChat(chatTemplate, messages, wishes);
    return (
      this.#options.template?.(messages, wishes) ??
      messages.map(({ role, content }) => `${role}: ${content}\n`).join('')
    );
  }

  chatTextAside(messages: readonly ChatMessage[], wishes?: ChatWishes): Promise<string> {
    return new Promise((resolve) => resolve(this.chatText(messages, wishes)));
  }

  chatPrompt(messages: Parameters<TextEngine['chatPrompt']>[0]): number[] {
    return this.tokenize(this.chatText(messages));
  }

  tokenizeInSlices(text: string, options?: { addSpecialTokens?: boolean }): Promise<number[]> {
    return Promise.resolve(this.tokenize(text, options));
  }

  tokenize(text: string, { addSpecialTokens = true } = {}): number[] {
    return [...(addSpecialTokens ? [BOS] : []), ...utf8.encode(text)];
  }

  detokenize(ids: readonly number[]): string {
    return new TextDecoder().decode(Uint8Array.from(ids.filter((id) => id < 256)));
  }

  tokenBytes(id: number): Uint8Array {
    return id < 256 ? Uint8Array.of(id) : utf8.encode(id === EOS ? '</s>' : `<${id}>`);
  }

  stats(): EngineStats {
    return {
      waiting: 0,
      running: this.running,
      kvBlocks: 100,
      kvBlocksFree: 100 - this.running,
      preemptions: 3,
      prefixQueriedTokens: 40,
      prefixHitTokens: 16,
      speculatedTokens: 0,
      acceptedTokens: 0,
      steps: 5,
    };
  }

  dispose(): Promise<void> {
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

function logprobsOf(id: number, wanted: number | undefined): Pick<GenerationChunk, 'logprobs'> {
  if (wanted === undefined) return {};
  const top: TokenLogprob[] = Array.from({ length: wanted }, (_, at) => ({
    id: at === 0 ? id : 64 + at,
    logprob: -at,
  }));
  return { logprobs: [{ token: { id, logprob: 0 }, top }] };
}
