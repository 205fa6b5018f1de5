import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join, resolve } from 'node:path';
import { RidgepointError } from '../../../errors.js';
import { option, words, type AnyOptionName } from '../../../wording.js';
import { codeOf } from '../../../platform/node/disk.js';
import { packageRoot } from '../../../platform/node/package-root.js';
import { answerFile } from './static-files.js';

const HOST = '127.0.0.1';
/** Below which a local folder is served. */
const LOCAL = '/local/';

/** The page, served. */
export interface ServedPage {
  /** Without a slash at its end. */
  readonly url: string;
  /** Where the local folder is, as a path of that address. */
  readonly model: string | undefined;
  readonly close: () => void;
}

/**
 * Serves the page, and a local folder with it, to this machine alone.
 *
 * @param asked the folder, and the option that named it
 * @throws RidgepointError where the folder is none or the port is taken
 */
export async function servePage(
  port: number,
  asked?: { readonly folder: string; readonly by: AnyOptionName },
): Promise<ServedPage> {
  const mounts: [string, string][] = [['/models/', join(packageRoot(), 'models')]];
  let model: string | undefined;
  if (asked !== undefined) {
    const folder = resolve(asked.folder);
    const isFolder = await stat(folder)
      .then((info) => info.isDirectory())
      .catch(() => false);
    if (!isFolder)
      throw new RidgepointError(
        'usage',
        words`${option(asked.by)} ${asked.folder}: is no folder; the page itself loads Hub names`,
      );
    model = `${LOCAL}${encodeURIComponent(basename(folder))}/`;
    mounts.push([decodeURIComponent(model), folder]);
  }
  mounts.push(['/', join(packageRoot(), 'dist', 'site')]);
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
    model,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
