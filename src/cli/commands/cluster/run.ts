import { addressText, type Address } from '../../../cluster/address.js';
import type { WorkerListener } from '../../../cluster/worker-link.js';
import { freePorts } from '../../../platform/node/free-ports.js';
import { TcpLink } from '../../../platform/node/wire/tcp-link.js';
import { RidgepointError } from '../../../errors.js';
import { option, words } from '../../../wording.js';
import { closeAtExit, EXIT, onStopRequest, stopSignal } from '../../run.js';
import { tell } from '../../terminal/output.js';
import { isRewritable } from '../../terminal/style.js';
import { endWithChannel } from '../serve/parent.js';
import { HTTP } from '../../options/http.js';
import { withDefaults } from '../../options/command-table.js';
import { ROUTER } from '../router/command.js';
import { controlPlane } from './control-plane.js';
import { Board, type BoardRow } from './board.js';
import type { ClusterFlags, WantedWorker } from './command.js';
import { ClusterMember, type MemberOptions } from './member.js';

/** We look at workers and ask for nothing. */
export const ONLOOKER: WorkerListener = {
  ...{ came: () => undefined, cameBack: () => undefined, gone: () => undefined },
  ...{ tokens: () => undefined, ended: () => undefined, failed: () => undefined },
};

/**
 * Runs workers and a router until it is told to stop; what dies is started anew.
 *
 * @returns the exit code
 */
export async function cluster(flags: ClusterFlags): Promise<number> {
  endWithChannel();
  const { worker: wanted, quiet = false, typed } = flags;
  const { placement } = withDefaults(ROUTER.placement, flags);
  const { shutdownTimeout } = withDefaults(HTTP.requests, flags);
  // Whoever else is to take part knows this one.
  const token = process.env.RIDGEPOINT_CLUSTER_TOKEN ?? globalThis.crypto.randomUUID();
  const control = await controlPlane(flags.nats);
  if (flags.durable === true && control.url === '') {
    throw new RidgepointError(
      'usage',
      words`${option('router.durable')} keeps requests in a NATS server; install nats-server, or give ${option('cluster.nats')} the address of one`,
    );
  }
  const addresses: Address[] = [];
  for (const port of await freePorts(wanted.length)) addresses.push({ host: '127.0.0.1', port });
  const failed = new AbortController();
  const rows: BoardRow[] = [];
  const board = new Board(rows, quiet);
  const said = (text: string): void => {
    if (!quiet) board.line(text);
  };
  const member = (
    name: string,
    args: readonly string[],
    more: Pick<MemberOptions, 'isShown' | 'onLine' | 'program'>,
  ): ClusterMember =>
    new ClusterMember({
      ...{ name, args, env: { RIDGEPOINT_CLUSTER_TOKEN: token, RIDGEPOINT_CLUSTER: control.url }, ...more },
      onChange: (what) => said(`${name} ${what}`),
      onUsage: () => failed.abort(),
    });
  if (control.remark !== undefined) said(control.remark);
  const nats =
    control.run && member('nats-server', control.run.args, { ...control.run, isShown: false, onLine: () => undefined });
  const workers = wanted.map((each, at): BoardRow => {
    const name = `worker ${at + 1}`;
    const args = ['worker', ...argsOf(each), '--listen', addressText(addresses[at]), '--quiet', ...typed.worker.flat()];
    // Quiet ones say why they end.
    const row = member(name, args, { isShown: false, onLine: (line) => tell(`${name}: ${line}\n`) });
    const link = new TcpLink({ address: addresses[at], token, listener: ONLOOKER });
    return { member: row, role: each.role, link };
  });
  const isTable = !quiet && isRewritable(process.stderr);
  const level = isTable && !typed.router.some(([flag]) => flag === '--log-level') ? ['--log-level', 'warn'] : [];
  const router = member(
    'router',
    [
      'router',
      ...(control.url === '' ? addresses.flatMap((address) => ['--worker', addressText(address)]) : []),
      ...['--placement', placement, ...level, ...typed.router.flat()],
    ],
    { isShown: true, onLine: (line) => said(line) },
  );
  rows.push(...workers, { member: router, role: 'router', link: undefined });
  if (nats !== undefined) rows.push({ member: nats, role: 'messages', link: undefined });
  const members = [...workers.map((row) => row.member), ...(nats === undefined ? [] : [nats])];
  closeAtExit(async () => {
    await Promise.all([router, ...members].map((each) => each.stop()));
  });
  await untilStopped(router, failed.signal);
  // The router first, so that what runs can finish.
  await router.stop(shutdownTimeout * 1000);
  for (const { link } of workers) link?.close();
  await Promise.all(members.map((each) => each.stop()));
  board.end();
  return failed.signal.aborted ? EXIT.usage : EXIT.ok;
}

function argsOf({ role, adapter }: WantedWorker): string[] {
  return ['--role', role, ...(adapter === undefined ? [] : ['--adapter', adapter])];
}

/** Resolves at the first signal, or where something was started wrongly; the second ends what the router still does. */
function untilStopped(router: ClusterMember, failed: AbortSignal): Promise<void> {
  let signals = 0;
  return new Promise((resolve) => {
    onStopRequest(() => {
      if (++signals === 2) router.signal('SIGTERM');
      resolve();
      return signals <= 2;
    });
    for (const signal of [stopSignal, failed]) signal.addEventListener('abort', () => resolve(), { once: true });
    if (stopSignal.aborted || failed.aborted) resolve();
  });
}
