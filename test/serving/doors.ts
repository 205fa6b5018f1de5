import type { TextEngine } from '../../src/engine/api.js';
import { createFetch } from '../../src/serving/fetch.js';
import type { ServerOptions } from '../../src/server/server.js';
import { start } from './support.js';

/** Where clients find an API. */
export interface Door {
  readonly url: string;
  readonly fetch: typeof fetch;
}

interface Way {
  readonly name: string;
  readonly open: (engine: TextEngine, options?: Partial<ServerOptions>) => Promise<Door>;
}

/** The same API over a socket and without one. */
export const WAYS: readonly Way[] = [
  { name: 'over HTTP', open: async (engine, options) => ({ url: (await start(engine, options)).url, fetch }) },
  {
    name: 'by a fetch of its own',
    open: (engine, options) => {
      const answer = createFetch({ engine, ...options });
      const url = 'http://ridgepoint.invalid';
      return Promise.resolve({ url, fetch: (input, init) => answer(new Request(input, init)) });
    },
  },
];
