import type { ActivationDtype } from '../quantization/activations.js';
import type { ModelConfig } from '../model/config.js';
import type { Pooling } from '../model/pooling.js';
import type { StoredDtype } from '../kernels/weights.js';
import type { TokenConstraint } from '../grammar/token-constraint.js';
import type { Mask } from '../gpu/masks.js';
import type { PolicyName } from '../scheduler/policies/index.js';
import type { ChatWishes } from '../tokenizer/chat.js';
import type { TokenVocabulary } from '../tokenizer/vocabulary.js';
import type { ScheduledSequence } from '../scheduler/sequence.js';
import type { TuningInfo } from '../tuning/autotune.js';
import type { KvDtype } from './load-options.js';
import type { Scheduling } from './scheduling.js';

export type { ChatWishes, PolicyName, Pooling, TokenConstraint, TokenVocabulary, TuningInfo };

export type {
  EngineOptions,
  KvDtype,
  LoadProgress,
  ModelFacts,
  SpeculationOptions,
  WeightDtype,
} from './load-options.js';
export type { ActivationDtype, StoredDtype };

/** What a run was made with; part of every published figure. */
export interface EngineInfo {
  /** For example `llvmpipe (LLVM 15.0.6, 256 bits)`. */
  readonly adapter: string;
  /** Driver name and version as the adapter states it. */
  readonly driver: string;
  /** Capability tier in use, for example `f16+subgroups`. */
  readonly tier: string;
  readonly model: string;
  readonly dtype: StoredDtype;
  /** Of embedding and `lm_head`. */
  readonly headDtype: StoredDtype;
  /** What prompts' projections multiply. */
  readonly activations: ActivationDtype;
  readonly kvDtype: KvDtype;
  /** Longest sequence this engine holds, in tokens. */
  readonly contextLength: number;
  /** Tokens of a prompt that a step takes at most. */
  readonly prefillChunk: number;
  readonly parameters: number;
  readonly weightBytes: number;
  readonly kvCacheBytes: number;
  /** Tokens of all sequences together that the KV cache has room for. */
  readonly kvCacheTokens: number;
  /** Why that many, in words. */
  readonly kvCacheChoice: string;
  /** Capabilities masked, and kernels that this driver does not survive or computes wrongly. */
  readonly disabled: readonly Mask[];
  readonly excluded: readonly string[];
  /** What kernels were chosen by measuring; absent where the defaults are used throughout. */
  readonly tuning?: TuningInfo;
}

/** Milliseconds spent on the way to a ready engine; stages overlap, so they do not add up to `total`. */
export interface LoadTimings {
  readonly adapter: number;
  readonly device: number;
  readonly checkpoint: number;
  readonly tokenizer: number;
  readonly weights: number;
  readonly pipelines: number;
  readonly total: number;
}

export interface SamplingOptions {
  /** 0 is greedy. */
  readonly temperature?: number;
  /** 0 turns it off. */
  readonly topK?: number;
  /** In (0, 1]; 1 turns it off. */
  readonly topP?: number;
  /** In [0, 1); 0 turns it off. A token stays if its probability is at least `minP` times the best one's. */
  readonly minP?: number;
  /** 1 turns it off; divides positive and multiplies negative logits of every token seen, prompt included. */
  readonly repetitionPenalty?: number;
  /** 0 turns it off; subtracted once from the logit of every generated token. */
  readonly presencePenalty?: number;
  /** 0 turns it off; subtracted from the logit of a token for each time it was generated. */
  readonly frequencyPenalty?: number;
  /** Added to the logits of these token ids. */
  readonly logitBias?: Readonly<Record<number, number>>;
  /** 32-bit seed; random when absent, and then reported in the result. */
  readonly seed?: number;
}

export interface GenerateOptions extends SamplingOptions {
  /** Most tokens to generate; the rest of the context when absent. */
  readonly maxTokens?: number;
  /**
   * Text that ends the generation; it is not part of the text returned. A special token written out in it, such as
   * `<|im_end|>`, stands for that token.
   */
  readonly stop?: readonly string[];
  /** Token ids that end the generation, `ignoreEos` or not; no text comes of them. */
  readonly stopIds?: readonly number[];
  /** Leave special tokens out of the text; default true. */
  readonly skipSpecialTokens?: boolean;
  /** Special tokens that are written in the text even so, by name. */
  readonly shownSpecials?: readonly string[];
  /** End the text with the stop string that was met; default false. */
  readonly includeStop?: boolean;
  /** Tokens before which the generation does not end by itself; default 0. */
  readonly minTokens?: number;
  /** Go on past end-of-sequence ids. */
  readonly ignoreEos?: boolean;
  /** Report the log-probability of each token and of this many most likely ones. */
  readonly logprobs?: number;
  /**
   * Ids that were generated before, perhaps by another engine: the generation goes on after them as though it had made
   * them itself. They count as generated, and chunks bring what is new alone.
   */
  readonly resume?: readonly number[];
  /** Requests of a lower number go first; equal ones in the order they came. Default 0. */
  readonly priority?: number;
  /** Asked before each token which ones may come. One object serves one generation. */
  readonly constraint?: TokenConstraint;
  readonly signal?: AbortSignal;
}

export interface TokenLogprob {
  readonly id: number;
  /** Natural logarithm of the probability, before temperature and truncation. */
  readonly logprob: number;
}

/** A piece of a generation: text that is safe to print, and the token that made it. */
export interface GenerationChunk {
  /** Whole characters only; empty while a character or a possible stop string is still incomplete. */
  readonly text: string;
  /** The token ids this chunk brought; the last chunk may bring held-back text and none. */
  readonly ids: readonly number[];
  /** Present when asked for: per id, its own log-probability and the most likely alternatives. */
  readonly logprobs?: readonly { readonly token: TokenLogprob; readonly top: readonly TokenLogprob[] }[];
}

export type FinishReason = 'eos' | 'stop' | 'length' | 'context' | 'abort';

/** Which workers of a cluster answered a request. */
export interface RequestRoute {
  readonly decodeWorker: string | undefined;
  /** Undefined where whoever decoded computed the prompt. */
  readonly prefillWorker: string | undefined;
  /** Bytes of keys and values that went from one to the other, and how long their coming took in all. */
  readonly kvBytes: number;
  readonly kvMs: number;
  /** Workers that were asked, one after the other. */
  readonly attempts: number;
}

export interface GenerationResult {
  readonly text: string;
  readonly promptIds: readonly number[];
  readonly ids: readonly number[];
  /** Prompt tokens whose keys and values were found in the cache instead of being computed. */
  readonly cachedTokens: number;
  readonly finishReason: FinishReason;
  readonly seed: number;
  /** Milliseconds from the call to the first token's arrival on the host. */
  readonly ttftMs: number;
  /** (E2E - TTFT) / (n - 1), or undefined for fewer than two tokens. */
  readonly tpotMs: number | undefined;
  readonly e2eMs: number;
  /** Where it was answered by a cluster. */
  readonly route?: RequestRoute;
}

/** A running generation: iterate it for chunks, or await `result`. Iterating is not needed for it to progress. */
export interface Generation extends AsyncIterable<GenerationChunk> {
  readonly result: Promise<GenerationResult>;
  /** Under which the engine's scheduling speaks of it. */
  readonly sequence?: ScheduledSequence;
}

/** Text to be tokenized, or token ids to be taken as they are. */
export type Prompt = string | readonly number[];

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
  readonly name?: string;
  /** What an assistant wanted called, in OpenAI's words; a template may have a form for it. */
  readonly tool_calls?: readonly object[];
  /** Which of those calls a tool's message answers. */
  readonly tool_call_id?: string;
  /** What an assistant thought before it answered; a template may have a place for it. */
  readonly reasoning_content?: string;
}

/** What an engine is doing, and has done since it was loaded. */
export interface EngineStats {
  /** Requests that wait for their first step, or for memory to go on. */
  readonly waiting: number;
  /** Requests that take part in steps. */
  readonly running: number;
  /** Blocks of the KV cache, of 16 tokens each. */
  readonly kvBlocks: number;
  /** Those no request holds; some may keep a prompt's keys and values for whoever sends it again. */
  readonly kvBlocksFree: number;
  /** Times a request lost its blocks to another and had to be computed again. */
  readonly preemptions: number;
  /** Prompt tokens that were looked up in the cache. */
  readonly prefixQueriedTokens: number;
  /** Those of them that were found there. */
  readonly prefixHitTokens: number;
  /** Tokens guessed ahead by prompt lookup. */
  readonly speculatedTokens: number;
  /** Those of them that the model chose too. */
  readonly acceptedTokens: number;
  /** Forward passes. */
  readonly steps: number;
}

export interface EmbedOptions {
  /** How rows become a vector; default as the engine was loaded, or as the model says. */
  readonly pooling?: Pooling;
  /** Whether vectors are of length 1; default as the model says, true where it says nothing. */
  readonly normalize?: boolean;
  /** How many numbers of each vector are kept, the first ones; at most the model's hidden size, which is the default. */
  readonly dimensions?: number;
  /** As of a generation. */
  readonly priority?: number;
  readonly signal?: AbortSignal;
}

/** Texts as vectors. */
export interface Embeddings {
  /** One for each input, in order: `dimensions` numbers. */
  readonly vectors: readonly Float32Array[];
  /** Tokens of each input. */
  readonly tokens: readonly number[];
}

/** What every front end (command line, server, harness) needs of an engine. */
export interface TextEngine extends AsyncDisposable {
  readonly info: EngineInfo;
  readonly config: ModelConfig;
  readonly timings: LoadTimings;
  /** Whether the model folder carries a tokenizer; without one only token ids work. */
  readonly hasTokenizer: boolean;
  /** Why it makes embeddings alone; absent where it writes text. */
  readonly whyNoText?: string;
  /** Whether the tokenizer carries a chat template. */
  readonly hasChatTemplate: boolean;
  /** Its Jinja source. */
  readonly chatTemplate: string | undefined;
  /** Why nothing can be generated any more, such as a lost device; undefined while all is well. */
  readonly failure: Error | undefined;
  /** Undefined without a tokenizer. */
  readonly vocabulary: TokenVocabulary | undefined;
  /** Sampling options of the model's `generation_config.json`. */
  readonly defaults: SamplingOptions & Pick<GenerateOptions, 'maxTokens'>;
  /** What it tells of its scheduling, where it does. */
  readonly scheduling?: Scheduling;
  generate(prompt: Prompt, options?: GenerateOptions): Generation;
  /**
   * Pools the last hidden states of prompts, after the final norm, where this engine can: absent where prompts are
   * computed by others.
   */
  embed?(input: Prompt | readonly Prompt[], options?: EmbedOptions): Promise<Embeddings>;
  /** UTF-8 bytes a token is written as, special ones by their names; none without a tokenizer. */
  tokenBytes(id: number): Uint8Array;
  /** Renders the chat template: the text that is to be tokenized without special tokens around it. */
  chatText(messages: readonly ChatMessage[], wishes?: ChatWishes): string;
  /**
   * `chatText`, where the host has a place aside, so that many messages or a template that loops keep nobody waiting.
   *
   * @param signal has it given up, where it has not begun
   */
  chatTextAside(messages: readonly ChatMessage[], wishes?: ChatWishes, signal?: AbortSignal): Promise<string>;
  /** Renders the chat template and tokenizes it. */
  chatPrompt(messages: readonly ChatMessage[], wishes?: ChatWishes): number[];
  /** @param options.addSpecialTokens put a BOS in front where the tokenizer asks for one; default true */
  tokenize(text: string, options?: { readonly addSpecialTokens?: boolean }): number[];
  /** `tokenize`, a few milliseconds at a time, so that a long text keeps nobody waiting. */
  tokenizeInSlices(
    text: string,
    options?: { readonly addSpecialTokens?: boolean; readonly signal?: AbortSignal },
  ): Promise<number[]>;
  detokenize(ids: readonly number[]): string;
  stats(): EngineStats;
  dispose(): Promise<void>;
}
