import type {
  ChatMessage,
  EngineInfo,
  EngineStats,
  GenerationChunk,
  GenerationResult,
  LoadProgress,
  LoadTimings,
  Prompt,
} from '../../engine/api.js';
import type { ModelSize } from '../../engine/size-ahead.js';
import type { ModelConfig } from '../../model/config.js';
import type { BrowserEngine, BrowserEngineOptions, BrowserGenerateOptions } from './api.js';
import type { ModelPlaces, WantedModel } from './models/find.js';

/** Options that say where things are, or stay in the page. */
export type LocalOption =
  'worker' | 'workerUrl' | 'modelsUrl' | 'hubUrl' | 'hubToken' | 'store' | 'gpuBytes' | 'onProgress' | 'signal';

/** What of a load's options crosses to the engine. */
export interface LoadRequest {
  readonly options: Omit<BrowserEngineOptions, LocalOption | 'model'> & { readonly model?: WantedModel };
  /** Addresses are absolute. */
  readonly places: ModelPlaces;
  readonly gpuBytes: number | undefined;
}

/** What a page knows of an engine elsewhere. */
export interface Loaded extends Pick<
  BrowserEngine,
  'hasTokenizer' | 'hasChatTemplate' | 'defaults' | 'notices' | 'kernels'
> {
  readonly info: EngineInfo;
  readonly config: ModelConfig;
  readonly timings: LoadTimings;
}

/** A request to the API, as it crosses. */
export interface ApiRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly [string, string][];
  readonly body: ArrayBuffer | undefined;
  /** The API's code, for an engine that has no address to load it from. */
  readonly code: string | undefined;
}

/** Its answer: the head, then pieces of the body. */
export type ApiPart =
  { readonly status: number; readonly headers: readonly [string, string][] } | { readonly bytes: Uint8Array };

/** All that a page asks of an engine. */
export type EngineCalls = {
  /** Whether an engine could live here. */
  readonly hello: { readonly args: { readonly lock: string | undefined }; readonly value: { readonly gpu: boolean } };
  readonly load: { readonly args: LoadRequest; readonly value: Loaded; readonly part: LoadProgress };
  /** Brings a model into the store. */
  readonly download: { readonly args: LoadRequest; readonly value: void; readonly part: LoadProgress };
  /** What a model will take. */
  readonly size: { readonly args: LoadRequest; readonly value: ModelSize };
  readonly ready: { readonly args: undefined; readonly value: void };
  readonly generate: {
    readonly args: { readonly prompt: Prompt; readonly options: Omit<BrowserGenerateOptions, 'signal'> };
    readonly value: GenerationResult;
    readonly part: GenerationChunk;
  };
  readonly fetch: { readonly args: ApiRequest; readonly value: void; readonly part: ApiPart };
  readonly tokenize: {
    readonly args: { readonly text: string; readonly addSpecialTokens: boolean | undefined };
    readonly value: number[];
  };
  readonly detokenize: { readonly args: readonly number[]; readonly value: string };
  readonly tokenBytes: { readonly args: number; readonly value: Uint8Array };
  readonly chatText: { readonly args: readonly ChatMessage[]; readonly value: string };
  readonly chatPrompt: { readonly args: readonly ChatMessage[]; readonly value: number[] };
  readonly stats: { readonly args: undefined; readonly value: EngineStats };
  readonly leave: { readonly args: undefined; readonly value: void };
};
