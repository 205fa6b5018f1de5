import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join, resolve } from 'node:path';
import { RidgepointError } from '../../../errors.js';
import { option, words } from '../../../wording.js';
import { codeOf } from '../../../platform/node/disk.js';
import { packageRoot } from '../../../platform/node/package-root.js';
import { withDefaults } from '../../options/command-table.js';
import { stopSignal } from '../../run.js';
import { remark } from '../../terminal/style.js';
import { WEB, type WebFlags } from './command.js';
import { answerFile, type Mounts } from './static-files.js';

const HOST = '127.0.0.1';
/** Below which a folder of `--model` is served. */
const LOCAL = '/local/';

/**
 * Serves the page until it is told to stop, to this machine alone.
 *
 * @returns the exit code
 * @throws RidgepointError where the folder is none or the port is taken
 */
export async function web(flags: WebFlags): Promise<number> {
  const { model, port } = withDefaults(WEB, flags);
  const site = join(packageRoot(), 'dist', 'site');
  const mounts: [string, string][] = [['/models/', join(packageRoot(), 'models')]];
  let query = '';
  if (model !== undefined) {
    const folder = resolve(model);
    const isFolder = await stat(folder)
      .then((info) => info.isDirectory())
      .catch(() => false);
    if (!isFolder)
      throw new RidgepointError(
        'usage',
        words`${option('web.model')} ${model}: is no folder; the page itself loads Hub names`,
      );
    const path = `${LOCAL}${encodeURIComponent(basename(folder))}/`;
    mounts.push([decodeURIComponent(path), folder]);
    query = `?model=${encodeURIComponent(path)}`;
  }
  const { url, close } = await listen([...mounts, ['/', site]], port);
  remark(`${url}/${query} runs a model in your browser. Ctrl-C stops.`);
  if (!stopSignal.aborted) {
    await new Promise<void>((stopped) => stopSignal.addEventListener('abort', () => stopped(), { once: true }));
  }
  close();
  return 0;
}

async function listen(mounts: Mounts, port: number): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => void answerFile(mounts, request, response));
  await new Promise<void>((done, fail) => {
    server.once('error', (cause) => {
      const why = codeOf(cause) === 'EADDRINUSE' ? `port ${port} is taken; choose another with --port` : cause.message;
      fail(new RidgepointError('usage', why, { cause }));
    });
    server.listen(port, HOST, done);
  });
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
