import { createSecureContext } from 'node:tls';
import { text } from '../../engine/options/kinds.js';
import { RidgepointError } from '../../errors.js';
import { keepSecret } from '../../platform/node/secrets.js';
import type { WireOptions, WireTls } from '../../platform/node/wire/connection.js';
import { commandFlag, option, words, type CommandOptionName } from '../../wording.js';
import { readTextFile } from '../text-file.js';
import type { CommandTable, FlagsIn } from './command-table.js';

export const pemFile = text('the path of a PEM file');

/** How connections between the processes of a cluster are encrypted. */
export const WIRE = {
  clusterTlsCert: {
    kind: pemFile,
    flags: '--cluster-tls-cert <file>',
    help: 'certificate of this process, as PEM; connections of the cluster are then encrypted',
  },
  clusterTlsKey: { kind: pemFile, flags: '--cluster-tls-key <file>', help: 'the private key that goes with it' },
  clusterTlsCa: {
    kind: pemFile,
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
  const { clusterTlsCert: cert, clusterTlsKey: key, clusterTlsCa: ca } = flags;
  if (isWorker && cert === undefined && ca !== undefined && key === undefined) {
    throw new RidgepointError(
      'usage',
      words`a worker shows a certificate; give ${option('wire.clusterTlsCert')} and ${option('wire.clusterTlsKey')}`,
    );
  }
  const tls = await readTls({ cert, key, ca }, NAMES);
  return tls === undefined ? { token } : { token, tls };
}

const NAMES = { cert: 'wire.clusterTlsCert', key: 'wire.clusterTlsKey', ca: 'wire.clusterTlsCa' } as const;

/**
 * Reads what connections are encrypted with.
 *
 * @param names of the options that say where the files are
 * @returns undefined where none was given
 * @throws RidgepointError naming the option that is missing, or whose file cannot be read or used
 */
export async function readTls(
  files: Readonly<Partial<Record<keyof WireTls, string>>>,
  names: Readonly<Record<keyof WireTls, CommandOptionName>>,
): Promise<WireTls | undefined> {
  if (Object.values(files).every((file) => file === undefined)) return undefined;
  if ((files.cert === undefined) !== (files.key === undefined)) {
    const [given, missing] = files.cert === undefined ? (['key', 'cert'] as const) : (['cert', 'key'] as const);
    throw new RidgepointError('usage', words`${option(names[given])} needs ${option(names[missing])}`);
  }
  const [cert, key, ca] = await Promise.all(
    (['cert', 'key', 'ca'] as const).map((part) => pem(names[part], files[part])),
  );
  const tls: WireTls = { cert, key, ca };
  try {
    createSecureContext(tls);
  } catch (cause) {
    throw new RidgepointError(
      'usage',
      words`${option(names.cert)}, ${option(names.key)} and ${option(names.ca)} cannot be used together: ${(cause as Error).message}`,
      { cause },
    );
  }
  return tls;
}

async function pem(name: CommandOptionName, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const found = await readTextFile(path, `${commandFlag(name)} ${path}`);
  if (found.includes('-----BEGIN ')) return found;
  throw new RidgepointError('usage', words`${option(name)} ${path} is no PEM file: it has no "-----BEGIN"`);
}
