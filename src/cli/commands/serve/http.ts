import type { EngineOptions, TextEngine } from '../../../engine/api.js';
import { isLoopback } from '../../../cluster/address.js';
import { RidgepointError } from '../../../errors.js';
import { option, words } from '../../../wording.js';
import { compileGrammar } from '../../../grammar/index.js';
import { keepSecret } from '../../../platform/node/secrets.js';
import { holdPort } from '../../../server/loading.js';
import { createFetch, type ApiFetch } from '../../../serving/fetch.js';
import { ResponsesStore } from '../../../serving/responses-store.js';
import { InferenceServer, type ServerOptions } from '../../../server/server.js';
import { withDefaults } from '../../options/command-table.js';
import { HTTP, type HttpFlags } from '../../options/http.js';
import { checkTemplate, readTemplate } from '../../template.js';
import { LogOutput } from '../../terminal/log-output.js';
import { remark } from '../../terminal/style.js';
import { endWithParent } from './parent.js';
import { untilStopped } from './stop.js';

/** What is served. */
export interface Served extends Pick<ServerOptions, 'machine' | 'slo' | 'instrument'> {
  readonly engine: TextEngine;
  /** Choices that run together. */
  readonly sequences: number;
  /** Has requests kept. @param answer answers one as this server would */
  readonly keep?: (answer: ApiFetch) => NonNullable<ServerOptions['kept']>;
  /** What is said before the address, a line each. */
  readonly remarks: readonly string[];
}

/**
 * Serves over HTTP until it is told to stop. Logs go to standard output, a line of JSON each.
 *
 * @param load gets the chat template that was asked for, and is to tell how far it is
 * @returns the exit code
 * @throws RidgepointError when what is to be served cannot be loaded or the address cannot be used
 */
export async function serveHttp(
  given: HttpFlags,
  load: (asked: Pick<EngineOptions, 'chatTemplate' | 'onProgress'>) => Promise<Served>,
): Promise<number> {
  endWithParent();
  const flags = withDefaults({ ...HTTP.clients, ...HTTP.requests }, given);
  const { quiet = false, host, port } = flags;
  const apiKeys = flags.apiKey ?? keysOf(process.env.RIDGEPOINT_API_KEY);
  apiKeys.forEach(keepSecret);
  const chatTemplate = await readTemplate(flags.chatTemplate);
  // A port that is taken is known before the model is loaded; a free one of the system's choice is no promise.
  const held = port === 0 ? undefined : await use(host, port, () => holdPort(host, port));
  const { engine, sequences, remarks, keep, ...served } = await load({ chatTemplate, onProgress: held?.report });
  if (chatTemplate !== undefined) checkTemplate(engine);
  const api = {
    ...{
      engine,
      ...served,
      responses: new ResponsesStore(),
      compileGrammar,
      modelNames: flags.servedModelName,
      toolFormat: flags.toolFormat,
    },
    capacity: sequences + flags.maxQueue,
  };
  const server = await InferenceServer.create({
    ...api,
    kept: keep?.(createFetch({ ...api, bodyLimit: Infinity })),
    apiKeys,
    allowedHosts: allowedHosts(flags, apiKeys),
    corsOrigins: flags.cors,
    bodyLimit: flags.bodyLimit,
    requestTimeoutMs: flags.requestTimeout * 1000,
    stallTimeoutMs: flags.stallTimeout * 1000,
    page: flags.ui ?? true,
    connectionIdleMs: flags.keepAlive * 1000,
    keepAliveMs: flags.sseKeepAlive * 1000,
    logger: { level: flags.logLevel, stream: new LogOutput((reason) => tellOfLog(reason, quiet)) },
    processMetrics: true,
  });
  const stopped = untilStopped(server, flags.shutdownTimeout, quiet);
  await held?.release();
  // Told to end while it was made ready, it does not begin to listen.
  if (server.stopping) return stopped;
  let address: string;
  try {
    address = await use(host, port, () => server.listen(host, port));
  } catch (error) {
    if (server.stopping) return stopped;
    throw error;
  }
  if (!quiet) {
    remarks.forEach(remark);
    remark(`${engine.info.model} on ${engine.info.adapter}, served at ${address}/v1. Ctrl-C stops.`);
  }
  if (apiKeys.length === 0 && !isLoopback(host)) {
    server.app.log.warn(`anyone who reaches ${host} may use this server: it has no --api-key`);
  }
  return stopped;
}

function tellOfLog(reason: string, quiet: boolean): void {
  if (!quiet) remark(`The log cannot be written (${reason}); serving goes on without it.`);
}

/** @throws RidgepointError where the address cannot be listened on */
async function use<T>(host: string, port: number, listen: () => Promise<T>): Promise<T> {
  try {
    return await listen();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    switch (code) {
      case 'EADDRINUSE':
        throw new RidgepointError(
          'usage',
          words`port ${port} of ${host} is in use; choose another with ${option('http.port')}`,
          { cause },
        );
      case 'EACCES':
        throw new RidgepointError(
          'usage',
          words`port ${port} needs more rights; choose one above 1023 with ${option('http.port')}`,
          {
            cause,
          },
        );
      default:
        throw new RidgepointError(
          'usage',
          words`cannot listen on ${host}, port ${port}: ${message}; check ${option('http.host')}`,
          {
            cause,
          },
        );
    }
  }
}

/** Several keys are separated by commas. */
function keysOf(variable: string | undefined): string[] {
  return (variable ?? '')
    .split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '');
}

/** Who has no key could else be asked by any web page that gives its own name this machine's address. */
function allowedHosts(
  { host, allowedHost }: Pick<HttpFlags, 'allowedHost'> & { readonly host: string },
  apiKeys: readonly string[],
): readonly string[] | undefined {
  return allowedHost ?? (apiKeys.length === 0 && isLoopback(host) ? [] : undefined);
}
