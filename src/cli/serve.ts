import { readFile } from 'node:fs/promises';
import type { TextEngine } from '../engine/api.js';
import { RidgepointError } from '../errors.js';
import { compileJsonConstraint } from '../grammar/index.js';
import { InferenceServer } from '../serving/server.js';
import { loadEngine } from './load.js';
import { engineOptions } from './options.js';
import { EXIT, onStopRequest, stopSignal, type Signal } from './run.js';
import { schedulingOptions } from './scheduling-options.js';
import type { ServeFlags } from './serve-options.js';
import { cacheLine } from './report.js';
import { remark } from './style.js';

/** Choices generated together unless told otherwise. */
const DEFAULT_SEQUENCES = 8;

/**
 * Serves a model over HTTP until it is told to stop. Logs go to standard output, a line of JSON each.
 *
 * @returns the exit code
 * @throws RidgepointError when the model cannot be loaded or the address cannot be used
 */
export async function serve(flags: ServeFlags): Promise<number> {
  const { quiet = false, host, port } = flags;
  const apiKeys = flags.apiKey ?? keysOf(process.env.RIDGEPOINT_API_KEY);
  const chatTemplate = flags.chatTemplate === undefined ? undefined : await readTemplate(flags.chatTemplate);
  const { maxNumSeqs = DEFAULT_SEQUENCES } = flags;
  const scheduling = { ...schedulingOptions(flags), maxSequences: maxNumSeqs };
  const options = { ...engineOptions(flags), ...scheduling, chatTemplate };
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
    logger: { level: flags.logLevel },
    processMetrics: true,
  });
  const stopped = untilStopped(server, flags.shutdownTimeout, quiet);
  const address = await listen(server, host, port);
  if (!quiet) {
    remark(cacheLine(engine.info));
    remark(`${engine.info.model} on ${engine.info.adapter}, served at ${address}/v1. Ctrl-C stops.`);
  }
  if (apiKeys.length === 0 && !isLoopback(host)) {
    server.app.log.warn(`anyone who reaches ${host} may use this server: it has no --api-key`);
  }
  return stopped;
}

/** Resolves when the server was told to stop and has. The first signal lets requests finish, the second ends them. */
function untilStopped(server: InferenceServer, graceSeconds: number, quiet: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    let signals = 0;
    const stop = (): void => {
      signals++;
      if (signals === 2) server.abort();
      if (signals > 1) return;
      if (!quiet) remark('Finishing what runs; a second signal ends it.');
      server.shutdown(graceSeconds * 1000).then(() => resolve(EXIT.ok), reject);
    };
    onStopRequest((signal: Signal) => {
      server.app.log.info({ signal }, 'told to stop');
      stop();
      return signals <= 2;
    });
    stopSignal.addEventListener('abort', stop, { once: true });
  });
}

async function listen(server: InferenceServer, host: string, port: number): Promise<string> {
  try {
    return await server.listen(host, port);
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

async function readTemplate(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const reason =
      (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (cause as Error).message;
    throw new RidgepointError('usage', `--chat-template ${file}: ${reason}`, { cause });
  }
}

/** A template with a fault in it should not wait for the first request. What it says about the messages is no fault. */
function checkTemplate(engine: TextEngine): void {
  try {
    engine.chatPrompt([{ role: 'user', content: 'Hello' }]);
  } catch (error) {
    if (!(error instanceof RidgepointError && error.code === 'prompt')) throw error;
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
