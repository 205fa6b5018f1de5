import type { CoreEngine } from '../../engine/engine.js';
import { RidgepointError } from '../../errors.js';
import type * as ApiModule from '../../serving/fetch.js';
import type { ApiRequest, ApiPart } from './calls.js';
import { compileGrammar } from '../../grammar/index.js';

/** The API of one engine, whose code is loaded when the first request comes. */
export class ApiService {
  #fetch: Promise<ApiModule.ApiFetch> | undefined;
  readonly #engine: CoreEngine;

  constructor(engine: CoreEngine) {
    this.#engine = engine;
  }

  /** Answers a request: its head first, then the bytes of its body as they come. */
  async answer(
    { url, method, headers, body, code }: ApiRequest,
    { signal, part }: { readonly signal: AbortSignal; readonly part: (part: ApiPart) => void },
  ): Promise<void> {
    const api = await (this.#fetch ??= this.#load(code));
    const response = await api(new Request(url, { method, headers: [...headers], body, signal }));
    part({ status: response.status, headers: [...response.headers] });
    const reader = response.body?.getReader();
    for (let read = await reader?.read(); read !== undefined && !read.done; read = await reader?.read()) {
      part({ bytes: read.value });
    }
  }

  async #load(code: string | undefined): Promise<ApiModule.ApiFetch> {
    const { createFetch } = await (code === undefined ? import('../../serving/fetch.js') : fromText(code));
    return createFetch({ engine: this.#engine, compileGrammar });
  }
}

/** A module out of its text, where there is no address to load it from. */
async function fromText(code: string): Promise<typeof ApiModule> {
  const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
  try {
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ url)) as typeof ApiModule;
  } catch {
    throw new RidgepointError(
      'internal',
      'the code of engine.fetch was refused, as by a content security policy that forbids modules made of text; give workerUrl',
    );
  } finally {
    URL.revokeObjectURL(url);
  }
}
