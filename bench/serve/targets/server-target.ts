import { RidgepointError } from '../../../src/errors.js';
import { option, words } from '../../../src/wording.js';
import { OpenAiServer, type OpenAiServerOptions } from '../drivers/openai-driver.js';
import type { Target } from './target.js';

/** A server, whose policy is its own affair. */
export function serverTarget(
  options: OpenAiServerOptions & { readonly contextLength?: number },
  onOpened: (server: OpenAiServer) => void = () => undefined,
): Target {
  return {
    open: async (policy) => {
      if (policy !== undefined) {
        throw new RidgepointError(
          'usage',
          words`${option('benchServe.policies')} compares engines in this process; leave ${option('benchServe.baseUrl')} away`,
        );
      }
      const server = await OpenAiServer.open(options);
      onOpened(server);
      return {
        contextLength: options.contextLength ?? server.contextLength,
        note: server.note,
        driver: (workload) => server.driver(workload),
        stats: () => undefined,
        close: () => {
          server.close();
          return Promise.resolve();
        },
      };
    },
  };
}
