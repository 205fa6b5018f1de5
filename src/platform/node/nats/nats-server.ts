import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Bytes of the largest message: an accepted request may be as long as an HTTP request. */
const MOST_MESSAGE = 8 << 20;

/**
 * Where `nats-server` is: among the programs of this user and of administrators, or where `.ci/install-nats` unpacks
 * it.
 *
 * @returns undefined where it is nowhere
 */
export function findNatsServer(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const cache = env.XDG_CACHE_HOME ?? join(env.HOME ?? homedir(), '.cache');
  const folders = [
    ...(env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''),
    ...['/usr/sbin', '/usr/local/bin', join(cache, 'ridgepoint', 'nats', 'usr', 'sbin')],
  ];
  return folders.map((folder) => join(folder, 'nats-server')).find(isRunnable);
}

function isRunnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface NatsConfig {
  readonly port: number;
  /** The only one who may connect. */
  readonly user: string;
  readonly password: string;
  /** Where accepted requests are kept; without it there is no JetStream. */
  readonly folder?: string;
}

/** A configuration of `nats-server`: this machine alone, and every user inside an account. */
export function natsConfig({ port, user, password, folder }: NatsConfig): string {
  return `listen: "127.0.0.1:${port}"
max_payload: ${MOST_MESSAGE}
ping_interval: "5s"
ping_max: 2
${folder === undefined ? '' : `jetstream { store_dir: ${JSON.stringify(folder)}, max_memory_store: 0, max_file_store: 1073741824 }\n`}accounts {
  CLUSTER {
    ${folder === undefined ? '' : 'jetstream: enabled\n    '}users: [{ user: ${JSON.stringify(user)}, password: ${JSON.stringify(password)} }]
  }
  SYSTEM { users: [] }
}
system_account: SYSTEM
`;
}
