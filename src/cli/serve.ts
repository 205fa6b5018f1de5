import { RidgepointError } from '../errors.js';
import { compileJsonConstraint } from '../grammar/index.js';
import { holdPort } from '../serving/loading.js';
import { InferenceServer } from '../serving/server.js';
import { loadEngine } from './load.js';
import { LogOutput } from './log-output.js';
import { engineOptions } from './options.js';
import { endWithParent } from './parent.js';
import { cacheLine } from './report.js';
import { schedulingOptions } from './scheduling-options.js';
import type { ServeFlags } from './serve-options.js';
import { untilStopped } from './serve-stop.js';
import { remark } from './style.js';
import { checkTemplate, readTemplate } from './template.js';

/** Choices generated together unless told otherwise. */
const DEFAULT_SEQUENCES = 8;

/**
 * Serves a model over HTTP until it is told to stop. Logs go to standard output, a line of JSON each.
 *
 * @returns the exit code
 * @throws RidgepointError when the model cannot be loaded or the address cannot be used
 */
export async function serve(flags: ServeFlags): Promise<number> {
  endWithParent();
  const { quiet = false, host, port } = flags;
  const apiKeys = flags.apiKey ?? keysOf(process.env.RIDGEPOINT_API_KEY);
  const chatTemplate = await readTemplate(flags.chatTemplate);
  const { maxNumSeqs = DEFAULT_SEQUENCES } = flags;
  const scheduling = { ...schedulingOptions(flags), maxSequences: maxNumSeqs };
  const options = { ...engineOptions(flags), ...scheduling, chatTemplate };
  // A port that is taken is known before the model is loaded; a free one of the system's choice is no promise.
  const giveBack = port === 0 ? undefined : await use(host, port, () => holdPort(host, port));
  const engine = await loadEngine(options, !quiet);
  if (chatTemplate !== undefined) checkTemplate(engine);
  const server = await InferenceServer.create({
    engine,
    modelNames: flags.servedModelName,
    apiKeys,
    allowedHosts: allowedHosts(flags, apiKeys),
    corsOrigins: flags.cors,
    bodyLimit: flags.bodyLimit,
    requestTimeoutMs: flags.requestTimeout * 1000,
    stallTimeoutMs: flags.stallTimeout * 1000,
    capacity: maxNumSeqs + flags.maxQueue,
    compileConstraint: compileJsonConstraint,
    keepAliveMs: flags.sseKeepAlive * 1000,
    logger: { level: flags.logLevel, stream: new LogOutput((reason) => tellOfLog(reason, quiet)) },
    processMetrics: true,
  });
  const stopped = untilStopped(server, flags.shutdownTimeout, quiet);
  await giveBack?.();
  const address = await use(host, port, () => server.listen(host, port));
  if (!quiet) {
    remark(cacheLine(engine.info));
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
        throw new RidgepointError('usage', `port ${port} of ${host} is in use; choose another with --port`, { cause });
      case 'EACCES':
        throw new RidgepointError('usage', `port ${port} needs more rights; choose one above 1023 with --port`, {
          cause,
        });
      default:
        throw new RidgepointError('usage', `cannot listen on ${host}, port ${port}: ${message}; check --host`, {
          cause,
        });
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
function allowedHosts({ host, allowedHost }: ServeFlags, apiKeys: readonly string[]): readonly string[] | undefined {
  return allowedHost ?? (apiKeys.length === 0 && isLoopback(host) ? [] : undefined);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
