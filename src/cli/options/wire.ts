import { createSecureContext } from 'node:tls';
import { text } from '../../engine/options/kinds.js';
import { RidgepointError } from '../../errors.js';
import { keepSecret } from '../../platform/node/secrets.js';
import type { WireOptions, WireTls } from '../../platform/node/wire/connection.js';
import { commandFlag, option, words, type CommandOptionName } from '../../wording.js';
import { readTextFile } from '../text-file.js';
import type { CommandTable, FlagsIn } from './command-table.js';

const file = text('the path of a PEM file');

/** How connections between the processes of a cluster are encrypted. */
export const WIRE = {
  clusterTlsCert: {
    kind: file,
    flags: '--cluster-tls-cert <file>',
    help: 'certificate of this process, as PEM; connections of the cluster are then encrypted',
  },
  clusterTlsKey: { kind: file, flags: '--cluster-tls-key <file>', help: 'the private key that goes with it' },
  clusterTlsCa: {
    kind: file,
    flags: '--cluster-tls-ca <file>',
    help: 'who must have signed the certificates of others',
  },
} as const satisfies CommandTable;

type WireFlags = FlagsIn<typeof WIRE> & { readonly clusterToken?: string };

/**
 * What connections of a cluster need.
 *
 * @param isWorker whether others connect to this process, for which it needs a certificate
 * @throws RidgepointError naming the option that is missing, or whose file cannot be read
 */
export async function wireOptions(flags: WireFlags, isWorker = false): Promise<WireOptions> {
  const token = flags.clusterToken ?? process.env.RIDGEPOINT_CLUSTER_TOKEN;
  if (token !== undefined) keepSecret(token);
  const { clusterTlsCert: certFile, clusterTlsKey: keyFile, clusterTlsCa: caFile } = flags;
  if (certFile === undefined && keyFile === undefined && caFile === undefined) return { token };
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const [given, missing]: readonly CommandOptionName[] =
      certFile === undefined
        ? ['wire.clusterTlsKey', 'wire.clusterTlsCert']
        : ['wire.clusterTlsCert', 'wire.clusterTlsKey'];
    throw new RidgepointError('usage', words`${option(given)} needs ${option(missing)}`);
  }
  if (isWorker && certFile === undefined) {
    throw new RidgepointError(
      'usage',
      words`a worker shows a certificate; give ${option('wire.clusterTlsCert')} and ${option('wire.clusterTlsKey')}`,
    );
  }
  const [cert, key, ca] = await Promise.all([
    pem('wire.clusterTlsCert', certFile),
    pem('wire.clusterTlsKey', keyFile),
    pem('wire.clusterTlsCa', caFile),
  ]);
  const tls: WireTls = { cert, key, ca };
  checkTls(tls);
  return { token, tls };
}

/** @throws RidgepointError where they are no certificates, or the key is another one's */
function checkTls(tls: WireTls): void {
  try {
    createSecureContext(tls);
  } catch (cause) {
    throw new RidgepointError(
      'usage',
      words`${option('wire.clusterTlsCert')}, ${option('wire.clusterTlsKey')} and ${option('wire.clusterTlsCa')} cannot be used together: ${(cause as Error).message}`,
      { cause },
    );
  }
}

async function pem(name: CommandOptionName, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const found = await readTextFile(path, `${commandFlag(name)} ${path}`);
  if (found.includes('-----BEGIN ')) return found;
  throw new RidgepointError('usage', words`${option(name)} ${path} is no PEM file: it has no "-----BEGIN"`);
}
