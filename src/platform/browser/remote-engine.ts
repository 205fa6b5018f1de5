import type {
  ChatMessage,
  EngineStats,
  Generation,
  GenerationChunk,
  GenerationResult,
  Prompt,
} from '../../engine/api.js';
import { RidgepointError } from '../../errors.js';
import type { BrowserEngine, BrowserEngineOptions, BrowserGenerateOptions } from './api.js';
import type { EngineCalls, Loaded, LoadRequest } from './calls.js';
import type { EngineSeat } from './place.js';
import { remoteFetch } from './remote-fetch.js';
import { RemoteGeneration } from './remote-generation.js';
import type { WireClient } from './wire.js';

type Wire = WireClient<EngineCalls>;

/** An engine at the other end of a wire; in the page itself, too, so that it is the same wherever it lives. */
export class RemoteEngine implements BrowserEngine {
  readonly place;
  readonly info;
  readonly config;
  readonly timings;
  readonly hasTokenizer;
  readonly hasChatTemplate;
  readonly defaults;
  readonly notices;
  readonly kernels;
  readonly #wire: Wire;
  #failure: Error | undefined;
  #disposal: Promise<void> | undefined;

  readonly #seat: EngineSeat;

  private constructor(seat: EngineSeat, loaded: Loaded) {
    this.#seat = seat;
    this.#wire = seat.wire;
    this.place = seat.place;
    ({
      info: this.info,
      config: this.config,
      timings: this.timings,
      hasTokenizer: this.hasTokenizer,
      hasChatTemplate: this.hasChatTemplate,
      defaults: this.defaults,
      notices: this.notices,
      kernels: this.kernels,
    } = loaded);
  }

  /** @throws RidgepointError as the library's `Engine.load` */
  static async load(
    seat: EngineSeat,
    request: LoadRequest,
    { onProgress, signal }: Pick<BrowserEngineOptions, 'onProgress' | 'signal'>,
  ): Promise<RemoteEngine> {
    try {
      return new RemoteEngine(seat, await seat.wire.call('load', request, { onPart: onProgress, signal }));
    } catch (error) {
      seat.leave();
      signal?.throwIfAborted();
      throw error;
    }
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  get ready(): Promise<void> {
    return this.#wire.call('ready', undefined);
  }

  generate(prompt: Prompt, { signal, ...options }: BrowserGenerateOptions = {}): Generation {
    if ('constraint' in options) {
      throw new RidgepointError(
        'usage',
        'a constraint cannot be handed to an engine in a browser, which may live in another thread; give its JSON schema as schema',
      );
    }
    const start = (onPart: (chunk: GenerationChunk) => void, ending: AbortSignal): Promise<GenerationResult> =>
      this.#watched(this.#wire.call('generate', { prompt, options }, { onPart, signal: ending }));
    return new RemoteGeneration(start, signal);
  }

  /** Bound, since clients call it as a function of its own. */
  readonly fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const code = this.#seat.ofText ? (await import('./api-text.js')).default : undefined;
    return remoteFetch(new Request(input, init), code, (request, onPart, signal) =>
      this.#watched(this.#wire.call('fetch', request, { onPart, signal })),
    );
  };

  tokenBytes(id: number): Promise<Uint8Array> {
    return this.#wire.call('tokenBytes', id);
  }

  chatText(messages: readonly ChatMessage[]): Promise<string> {
    return this.#wire.call('chatText', messages);
  }

  chatPrompt(messages: readonly ChatMessage[]): Promise<number[]> {
    return this.#wire.call('chatPrompt', messages);
  }

  tokenize(text: string, { addSpecialTokens }: { readonly addSpecialTokens?: boolean } = {}): Promise<number[]> {
    return this.#wire.call('tokenize', { text, addSpecialTokens });
  }

  detokenize(ids: readonly number[]): Promise<string> {
    return this.#wire.call('detokenize', ids);
  }

  stats(): Promise<EngineStats> {
    return this.#wire.call('stats', undefined);
  }

  dispose(): Promise<void> {
    return (this.#disposal ??= this.#dispose());
  }

  async #dispose(): Promise<void> {
    // A worker that is gone has nothing left to free.
    await this.#wire.call('leave', undefined).catch(() => undefined);
    this.#seat.leave();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  async #watched<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (error instanceof RidgepointError && error.code === 'device') this.#failure ??= error;
      throw error;
    }
  }
}
