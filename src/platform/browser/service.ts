import type { EngineOptions, LoadProgress, TokenConstraint } from '../../engine/api.js';
import type { CoreEngine } from '../../engine/engine.js';
import type { EngineHost } from '../../engine/host.js';
import { judgeModel } from '../../engine/model-opening.js';
import { startEngine } from '../../engine/start.js';
import { RidgepointError } from '../../errors.js';
import type { ModelSource } from '../../model/open.js';
import type { ApiService } from './api-service.js';
import type { EngineCalls, Loaded, LoadRequest } from './calls.js';
import { browserHost } from './host.js';
import { openBrowserModel } from './models/find.js';
import { answerCalls, type Answers } from './wire.js';

/** An engine, and how many tabs use it. */
interface Held {
  readonly engine: Promise<CoreEngine>;
  /** Its API, once somebody has asked for it. */
  api: Promise<ApiService> | undefined;
  readonly listeners: Set<(progress: LoadProgress) => void>;
  users: number;
}

/** The engine of a thread. All tabs that are connected to it use the same one. */
export class EngineService {
  #held: Held | undefined;

  readonly #shared: boolean;

  /** @param shared whether other tabs may come, who are not to suffer from what one does */
  constructor(shared: boolean) {
    this.#shared = shared;
  }

  /** Answers one tab. */
  connect(port: MessagePort): void {
    let own: Held | undefined;
    const engine = (): Promise<CoreEngine> => {
      if (own === undefined) throw new RidgepointError('usage', 'the engine was disposed; load another');
      return own.engine;
    };
    const leave = async (): Promise<void> => {
      const left = own;
      own = undefined;
      endAll();
      if (left !== undefined) await this.#leave(left);
    };
    const answers: Answers<EngineCalls> = {
      hello: ({ lock }) => {
        // The lock is the tab's for as long as it lives: who gets it knows that the tab is gone.
        if (lock !== undefined) void navigator.locks.request(lock, leave);
        return { gpu: 'gpu' in navigator };
      },
      load: async (request, { signal, part }) => {
        own = await this.#enter(request, signal, part);
        return describe(await own.engine);
      },
      download: async ({ options, places }, { signal, part }) => {
        const judge = (source: ModelSource): Promise<unknown> => judgeModel(source, { ...options, model: undefined });
        await openBrowserModel(options.model, places, { signal, onProgress: part, judge });
      },
      size: async (request, { signal }) => {
        const { sizeAhead } = await import('../../engine/size-ahead.js');
        return sizeAhead({ ...engineOptions(request), signal }, this.#host(request));
      },
      ready: async () => (await engine()).ready,
      generate: async ({ prompt, options }, { signal, part }) => {
        const loaded = await engine();
        const { schema, ...plain } = options;
        const constraint = schema === undefined ? undefined : await constraintOf(loaded, schema);
        const generation = loaded.generate(prompt, { ...plain, signal, ...(constraint && { constraint }) });
        for await (const chunk of generation) part(chunk);
        return generation.result;
      },
      fetch: async (request, answering) => {
        const held = own;
        const loaded = await engine();
        const api = await (held!.api ??= import('./api-service.js').then(({ ApiService }) => new ApiService(loaded)));
        return api.answer(request, answering);
      },
      tokenize: async ({ text, addSpecialTokens }, { signal }) =>
        (await engine()).tokenizeInSlices(text, { addSpecialTokens, signal }),
      detokenize: async (ids) => (await engine()).detokenize(ids),
      tokenBytes: async (id) => (await engine()).tokenBytes(id),
      chatText: async (messages) => (await engine()).chatTextAside(messages),
      chatPrompt: async (messages) => {
        const loaded = await engine();
        return loaded.tokenizeInSlices(await loaded.chatTextAside(messages), { addSpecialTokens: false });
      },
      stats: async () => (await engine()).stats(),
      leave,
    };
    const endAll = answerCalls(port, answers);
  }

  async #enter(request: LoadRequest, signal: AbortSignal, onProgress: (progress: LoadProgress) => void): Promise<Held> {
    await this.#letGoOfTheDead();
    const held = (this.#held ??= this.#start(request, signal));
    held.users++;
    held.listeners.add(onProgress);
    try {
      await held.engine;
      signal.throwIfAborted();
      return held;
    } catch (error) {
      await this.#leave(held);
      throw error;
    } finally {
      held.listeners.delete(onProgress);
    }
  }

  #start(request: LoadRequest, signal: AbortSignal): Held {
    const listeners: Held['listeners'] = new Set();
    const engine = startEngine(
      {
        ...engineOptions(request),
        onProgress: (progress) => listeners.forEach((listener) => listener(progress)),
        // Others may be waiting for the same load.
        signal: this.#shared ? undefined : signal,
      },
      this.#host(request),
    );
    return { engine, api: undefined, listeners, users: 0 };
  }

  #host({ options, places, gpuBytes }: LoadRequest): EngineHost {
    return browserHost({ ...places, model: options.model, shared: this.#shared, gpuBytes });
  }

  /** A device that was lost is lost for all; who loads again gets another. */
  async #letGoOfTheDead(): Promise<void> {
    const held = this.#held;
    if (held === undefined) return;
    const dead = await held.engine.then(
      ({ failure }) => failure !== undefined,
      () => true,
    );
    if (!dead || this.#held !== held) return;
    this.#held = undefined;
    await held.engine.then((engine) => engine.dispose()).catch(() => undefined);
  }

  async #leave(held: Held): Promise<void> {
    if (--held.users > 0) return;
    if (this.#held === held) this.#held = undefined;
    const engine = await held.engine.catch(() => undefined);
    await engine?.dispose();
  }
}

/** What the engine's own side is to check. */
function engineOptions({ options: { model, ...others } }: LoadRequest): EngineOptions {
  return { ...others, model: typeof model === 'string' ? model : undefined };
}

/** @throws RidgepointError ('usage') naming what of the schema is wrong or not supported */
async function constraintOf({ info, vocabulary }: CoreEngine, schema: unknown): Promise<TokenConstraint> {
  if (vocabulary === undefined) {
    throw new RidgepointError('usage', `${info.model} has no tokenizer.json, so its text cannot be kept to a schema`);
  }
  // Rarely needed, so not loaded with the rest.
  const { compileJsonConstraint } = await import('../../grammar/index.js');
  return compileJsonConstraint(schema, vocabulary).create();
}

const describe = (engine: CoreEngine): Loaded => ({
  info: engine.info,
  config: engine.config,
  timings: engine.timings,
  hasTokenizer: engine.hasTokenizer,
  hasChatTemplate: engine.hasChatTemplate,
  defaults: engine.defaults,
  notices: engine.notices,
  kernels: engine.kernels(),
});
