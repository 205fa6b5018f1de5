import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../../platform/node/free-ports.js';
import { findNatsServer, natsConfig } from '../../../platform/node/nats/nats-server.js';
import type { NatsUrl } from '../../../platform/node/nats/nats-url.js';
import { closeAtExit } from '../../run.js';

/** By which the processes of a cluster find each other. */
export interface ControlPlane {
  /** For the environment of workers and routers, as others can see arguments; empty for none. */
  readonly url: string;
  /** How our own server is run; undefined where there is none or it is somebody else's. */
  readonly run: { readonly program: string; readonly args: readonly string[] } | undefined;
  /** What is to be said of it. */
  readonly remark: string | undefined;
}

/** Ends a program with the process that started it, however that ends. */
const WITH_US = ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '--'] as const;

/**
 * The NATS server that was asked for; else one of this cluster's own, where the program is there.
 *
 * @param asked `none`, or where a server is
 */
export async function controlPlane(asked: 'none' | NatsUrl | undefined): Promise<ControlPlane> {
  if (asked === 'none') return { url: '', run: undefined, remark: undefined };
  if (asked !== undefined) return { url: asked.given, run: undefined, remark: undefined };
  const variable = process.env.RIDGEPOINT_CLUSTER ?? '';
  if (variable !== '') return { url: variable, run: undefined, remark: undefined };
  const program = findNatsServer();
  if (program === undefined) {
    const remark = 'nats-server is not there; workers are known by their addresses. --nats none says nothing of it';
    return { url: '', run: undefined, remark };
  }
  const [port] = await freePorts(1);
  const [user, password] = ['cluster', globalThis.crypto.randomUUID()];
  const folder = await mkdtemp(join(tmpdir(), 'ridgepoint-nats-'));
  closeAtExit(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'nats.conf');
  await writeFile(file, natsConfig({ port, user, password, folder: join(folder, 'store') }), { mode: 0o600 });
  const whole = [...(existsSync(WITH_US[0]) ? WITH_US : []), program, '-c', file];
  return {
    url: `nats://${user}:${password}@127.0.0.1:${port}`,
    run: { program: whole[0], args: whole.slice(1) },
    remark: undefined,
  };
}
