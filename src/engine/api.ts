import type { ActivationDtype } from '../quantization/activations.js';
import type { LlamaConfig } from '../model/config.js';
import type { KvStored } from '../kernels/attention-shape.js';
import type { StoredDtype } from '../kernels/weights.js';
import type { BatchShape } from '../model/operations.js';
import type { Mask } from '../gpu/masks.js';
import type { TokenVocabulary } from '../tokenizer/vocabulary.js';
import type { TuningInfo } from './tuning/autotune.js';
import type { WeightDtype } from './weight-format.js';

export type { TokenVocabulary, TuningInfo };

/** How weights are held on the GPU: a float format, or for example `int4-g32`, quants in groups of 32 columns. */
export type { ActivationDtype, StoredDtype, WeightDtype };
/** How keys and values are held in the paged cache; int8 with a scale for each head of a token. */
export type KvDtype = KvStored;

/** One phase of loading, reported while it happens. Bytes count what has reached the GPU. */
export interface LoadProgress {
  readonly stage: 'waiting' | 'checking' | 'download' | 'tuning' | 'weights' | 'pipelines';
  /** What is being worked on: a file or a tensor; while waiting, the process that is waited for. */
  readonly item: string;
  readonly done: number;
  readonly total: number;
  readonly unit: 'bytes' | 'pipelines' | 'shapes';
}

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

/**
 * Decides which tokens may come next, for example so that the text is JSON of a given schema. Holds the state of one
 * generation.
 */
export interface TokenConstraint {
  /**
   * One bit a token id, 32 ids to a word from the lowest bit up, set where the id may come next; end-of-sequence ids
   * included, where the text may end. The next call of `accept` may overwrite it.
   */
  allowed(): Uint32Array;
  /** Takes note of the token that was chosen. @throws RangeError if it was not allowed */
  accept(id: number): void;
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
  /** Go on past end-of-sequence ids. */
  readonly ignoreEos?: boolean;
  /** Report the log-probability of each token and of this many most likely ones. */
  readonly logprobs?: number;
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
}

/** A running generation: iterate it for chunks, or await `result`. Iterating is not needed for it to progress. */
export interface Generation extends AsyncIterable<GenerationChunk> {
  readonly result: Promise<GenerationResult>;
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

/** What every front end (command line, server, harness) needs of an engine. */
export interface TextEngine extends AsyncDisposable {
  readonly info: EngineInfo;
  readonly config: LlamaConfig;
  readonly timings: LoadTimings;
  /** Whether the model folder carries a tokenizer; without one only token ids work. */
  readonly hasTokenizer: boolean;
  /** Whether the tokenizer carries a chat template. */
  readonly hasChatTemplate: boolean;
  /** Why nothing can be generated any more, such as a lost device; undefined while all is well. */
  readonly failure: Error | undefined;
  /** Undefined without a tokenizer. */
  readonly vocabulary: TokenVocabulary | undefined;
  /** Sampling options of the model's `generation_config.json`. */
  readonly defaults: SamplingOptions & Pick<GenerateOptions, 'maxTokens'>;
  generate(prompt: Prompt, options?: GenerateOptions): Generation;
  /** UTF-8 bytes a token is written as, special ones by their names; none without a tokenizer. */
  tokenBytes(id: number): Uint8Array;
  /** Renders the chat template: the text that is to be tokenized without special tokens around it. */
  chatText(messages: readonly ChatMessage[]): string;
  /** `chatText`, where the host has a place aside, so that many messages or a template that loops keep nobody waiting. */
  chatTextAside(messages: readonly ChatMessage[]): Promise<string>;
  /** Renders the chat template and tokenizes it. */
  chatPrompt(messages: readonly ChatMessage[]): number[];
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

/** How prompts and decoding share the GPU; each is described in its file under `policies/`. */
export type PolicyName = 'chunked' | 'prefill-first' | 'decode-priority' | 'static';

/** Speculative decoding by prompt lookup: what followed the last tokens where they stood before is guessed again. */
export interface SpeculationOptions {
  /** Tokens that must agree with an earlier place; at least 1. */
  readonly lookup: number;
  /** Most tokens guessed at a time; at least 1. */
  readonly tokens: number;
}

/** Options of `Engine.load` that do not depend on the platform. */
export interface EngineOptions {
  /** A folder, a Hub name such as `meta-llama/Llama-2-7b-hf`, or a preset; the embedded model when absent. */
  readonly model?: string;
  /** Part of an adapter's name. */
  readonly adapter?: string;
  /** `auto`, the default, is f16. `int8` and `int4` quantise a checkpoint while it streams in. */
  readonly dtype?: WeightDtype | 'auto';
  /** Columns of a row that share a scale: 32, 64 or 128; by default 128 under `int8` and 32 under `int4`. */
  readonly groupSize?: number;
  /** Gives each group of `int8` and `int4` a zero point; without, quants are symmetric. */
  readonly zeroPoints?: boolean;
  /** Embedding and `lm_head`; `auto`, the default, is f16 beside quantised layers and else what they are. */
  readonly headDtype?: WeightDtype | 'auto';
  /**
   * What prompts' projections multiply; default `f32`. `int8` quantises activations row by row and multiplies whole
   * numbers, and needs weights of `int8`. Decode is bound by bytes and keeps its activations.
   */
  readonly activations?: ActivationDtype;
  /** `auto`, the default: f32 where the cache then takes at most 64 MiB, else f16. Never `int8` unasked. */
  readonly kvDtype?: KvDtype | 'auto';
  /** `synthetic` fills the model with deterministic pseudo-random weights made on the GPU. */
  readonly weights?: 'checkpoint' | 'synthetic';
  /** Jinja text of a chat template to use instead of the model's own. */
  readonly chatTemplate?: string;
  /** Longest sequence to make room for, in tokens; default the model's own, at most 4096. */
  readonly contextLength?: number;
  /** How prompts and decoding share the GPU; default `chunked`. */
  readonly policy?: PolicyName;
  /** Sequences that may run together; default 8. */
  readonly maxSequences?: number;
  /** Most tokens in one forward pass, prompts' and generated ones together; default: a chunk and every sequence. */
  readonly maxBatchedTokens?: number;
  /** Most prompt tokens in one forward pass; default 512, and whole prompts under `prefill-first`. */
  readonly prefillChunk?: number;
  /**
   * False uses the default kernels, whatever was measured. Otherwise those that `ridgepoint tune` chose on this adapter
   * are used; on a GPU a first load of a large model takes some seconds to choose. Kernels add in different orders, so a
   * choice may change a model's numbers in their last digits; once made it stays.
   */
  readonly autotune?: boolean;
  /**
   * Tokens of all sequences together the KV cache has room for; default: `maxSequences` times `contextLength` where
   * memory allows, one `contextLength` at least.
   */
  readonly kvCacheTokens?: number;
  /** The same in bytes; not together with `kvCacheTokens`. */
  readonly kvCacheBytes?: number;
  /**
   * Most rows of a step whose logits are computed; by default one a sequence and one a guess. More are for evaluation,
   * which wants the logits of every position.
   */
  readonly logitRows?: number;
  /** Keep the keys and values of prompts for requests that begin alike; default true. */
  readonly prefixCaching?: boolean;
  /** Guess tokens ahead. The text is the same with and without it; off by default. */
  readonly speculate?: SpeculationOptions;
  /** Under `decode-priority`: longest a step with decoding sequences should take, in milliseconds; default 50. */
  readonly decodeSloMs?: number;
  /** Under `decode-priority`: predicted milliseconds of a step; default: learnt from the steps that have run. */
  readonly stepCost?: (batch: BatchShape) => number;
  /** Refuse NaN and infinite weights while loading. */
  readonly checkWeights?: boolean;
  readonly onProgress?: (progress: LoadProgress) => void;
  readonly signal?: AbortSignal;
}
