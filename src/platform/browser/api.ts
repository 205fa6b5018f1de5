import type {
  ChatMessage,
  EngineInfo,
  EngineOptions,
  EngineStats,
  GenerateOptions,
  Generation,
  LoadTimings,
  Prompt,
  SamplingOptions,
} from '../../engine/api.js';
import type { ModelSize } from '../../engine/size-ahead.js';
import type { ModelConfig } from '../../model/config.js';

/** Where an engine lives. */
export type EnginePlace = 'worker' | 'shared worker' | 'page';

/**
 * A model in a browser: the embedded one when absent; a Hub name; the URL of a folder, which may be relative; a preset,
 * for synthetic weights; a folder picked by `showDirectoryPicker`, or the files of one that was dropped or chosen.
 */
export type BrowserModel = string | FileSystemDirectoryHandle | readonly File[];

/** Options of `Engine.load` in a browser: those of the library, but for functions, which cannot leave the page. */
export interface BrowserEngineOptions extends Omit<EngineOptions, 'model' | 'stepCost' | 'onStep'> {
  readonly model?: BrowserModel;
  /**
   * Where the engine lives: in a worker of its own, the default; with `shared` in one for all tabs of the origin that
   * load the same model with the same options; with `false` in the page, whose frames it then holds up.
   */
  readonly worker?: boolean | 'shared';
  /**
   * URL of `ridgepoint-worker.js`, for pages whose content security policy forbids workers made of text, and for shared
   * workers under a bundler that does not find the file by itself.
   */
  readonly workerUrl?: string | URL;
  /** URL of the folder that holds `tiny-tales/` and `presets.json`; by default the package's own. */
  readonly modelsUrl?: string | URL;
  /** A Hub other than huggingface.co. */
  readonly hubUrl?: string | URL;
  /** For gated models. It goes to the Hub alone, and is kept nowhere. */
  readonly hubToken?: string;
  /**
   * Bytes that the engine may take of the GPU's memory. Browsers do not say how much there is; with this, what would
   * not fit is refused before its weights are fetched, with what would.
   */
  readonly gpuBytes?: number;
  /** Keep what is downloaded in the origin's private file system; default true. */
  readonly store?: boolean;
}

/** What a model will take, before any of its weights are fetched. */
export interface BrowserModelSize extends ModelSize {
  /** Bytes that the browser has left for this site; undefined where it does not say. */
  readonly diskBytes: number | undefined;
  /** How long the download takes at the speed that the browser believes the connection to have; undefined likewise. */
  readonly downloadSeconds: number | undefined;
}

export interface BrowserGenerateOptions extends Omit<GenerateOptions, 'constraint'> {
  /** A JSON Schema that the text is kept to, as by the server's `response_format`; `{ type: 'object' }` is any object. */
  readonly schema?: unknown;
}

/**
 * A loaded model. As the library's engine, but for two things: what only the tokenizer or the scheduler can tell comes
 * as a promise, since it may live in another thread, and what is wrong with a request fails its `result`.
 */
export interface BrowserEngine extends AsyncDisposable {
  readonly place: EnginePlace;
  readonly info: EngineInfo;
  readonly config: ModelConfig;
  readonly timings: LoadTimings;
  readonly hasTokenizer: boolean;
  readonly hasChatTemplate: boolean;
  readonly defaults: SamplingOptions & Pick<GenerateOptions, 'maxTokens'>;
  /** What a user should know of the model's files, a sentence each. */
  readonly notices: readonly string[];
  /** The kernel variants in use for one row and for many. */
  readonly kernels: { readonly decode: readonly string[]; readonly prefill: readonly string[] };
  /** Why nothing can be generated any more, such as a lost device, as far as a request has found out. */
  readonly failure: Error | undefined;
  /** Resolves when the kernels for larger batches, compiled in the background, are there too. */
  readonly ready: Promise<void>;
  generate(prompt: Prompt, options?: BrowserGenerateOptions): Generation;
  /**
   * The API of `ridgepoint serve` without a server, for clients that take a `fetch`: of the address only the path
   * counts, `/v1/chat/completions` and all the others.
   *
   * @throws what the request's signal was aborted with
   */
  readonly fetch: (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;
  tokenBytes(id: number): Promise<Uint8Array>;
  /** Renders the chat template: the text that is to be tokenized without special tokens around it. */
  chatText(messages: readonly ChatMessage[]): Promise<string>;
  /** Renders the chat template and tokenizes it. */
  chatPrompt(messages: readonly ChatMessage[]): Promise<number[]>;
  tokenize(text: string, options?: { readonly addSpecialTokens?: boolean }): Promise<number[]>;
  detokenize(ids: readonly number[]): Promise<string>;
  stats(): Promise<EngineStats>;
  /** Aborts what this page has running, and frees the GPU where nobody else uses the engine. Safe to call twice. */
  dispose(): Promise<void>;
}
