import type { KvStored } from '../kernels/attention/shape.js';
import type { BatchShape } from '../model/operations.js';
import type { Pooling } from '../model/pooling.js';
import type { ActivationDtype } from '../quantization/activations.js';
import type { PolicyName } from '../scheduler/policies/index.js';
import type { WeightDtype } from './weight-format.js';

/** How weights are held on the GPU: a float format, or for example `int4-g32`, quants in groups of 32 columns. */
export type { WeightDtype };
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
  /** Share of the KV cache that may be set aside for keys and values from elsewhere; default 0.5. */
  readonly kvReserve?: number;
  /**
   * Most rows of a step whose logits are computed; by default one a sequence and one a guess. More are for evaluation,
   * which wants the logits of every position.
   */
  readonly logitRows?: number;
  /** Keep the keys and values of prompts for requests that begin alike; default true. */
  readonly prefixCaching?: boolean;
  /**
   * How a prompt's hidden states become its embedding: their mean, or the last one. Default: as the model says; one that
   * is not meant for embeddings gives none without this.
   */
  readonly pooling?: Pooling;
  /** Guess tokens ahead. The text is the same with and without it; off by default. */
  readonly speculate?: SpeculationOptions;
  /** Under `decode-priority`: longest a step with decoding sequences should take, in milliseconds; default 50. */
  readonly decodeSloMs?: number;
  /** Under `decode-priority`: predicted milliseconds of a step; default: learnt from the steps that have run. */
  readonly stepCost?: (batch: BatchShape) => number;
  /**
   * Told of each step that has run: what was in it, and milliseconds from the end of the step before, or from when it
   * was recorded where none ran, to its tokens being on the host.
   */
  readonly onStep?: (batch: BatchShape, ms: number) => void;
  /** Refuse NaN and infinite weights while loading. */
  readonly checkWeights?: boolean;
  /**
   * Told what a model is by its small files, before a byte of weights is fetched or read. What it throws ends loading: a
   * model that cannot do what it is wanted for need not be downloaded first.
   */
  readonly onModel?: (model: ModelFacts) => void;
  readonly onProgress?: (progress: LoadProgress) => void;
  readonly signal?: AbortSignal;
}

/** What a model's small files say of what it can be asked. */
export interface ModelFacts {
  /** As it is called in messages. */
  readonly model: string;
  readonly hasTokenizer: boolean;
  readonly hasChatTemplate: boolean;
  /** Why it writes no text, as far as config.json tells; absent where it does. */
  readonly whyNoText?: string;
}
