import type { Command } from '@commander-js/extra-typings';
import { WORKER_ROLES, type WorkerRole } from '../../../cluster/worker-link.js';
import type { TextKind } from '../../../engine/options/kinds.js';
import { natsUrlOf, type NatsUrl } from '../../../platform/node/nats/nats-url.js';
import { addTable, type CommandTable } from '../../options/command-table.js';
import { addModelOptions } from '../../options/common.js';
import { CONTROL } from '../../options/control.js';
import { EXIT_CODES } from '../../options/help.js';
import { addHttpOptions } from '../../options/http.js';
import type { Flags } from '../../options/group.js';
import { addSchedulingOptions } from '../../options/scheduling.js';
import { tableOption } from '../../options/table-flags.js';
import { natsUrl, repeated } from '../../options/text-kinds.js';
import { runToExit } from '../../run.js';
import { ROUTER, routerOptions } from '../router/command.js';
import { workerOptions } from '../worker/command.js';

/** A worker that is wanted: what it is asked for, and where it runs. */
export interface WantedWorker {
  readonly role: WorkerRole;
  /** Part of an adapter's name; the best there is when absent. */
  readonly adapter: string | undefined;
}

const wanted: TextKind<WantedWorker> = {
  wanted: 'a role and an adapter, such as prefill@lavapipe, decode@swiftshader or both',
  read(given) {
    const [name, ...rest] = given.split('@');
    const role = WORKER_ROLES.find((each) => each === name);
    const adapter = rest.join('@');
    if (role === undefined || (rest.length > 0 && adapter === '')) return undefined;
    return { role, adapter: adapter === '' ? undefined : adapter };
  },
};

const natsChoice: TextKind<'none' | NatsUrl> = {
  wanted: `none, or ${natsUrl.wanted}`,
  read: (given) => (given === 'none' ? given : natsUrlOf(given)),
};

export const CLUSTER = {
  workers: {
    worker: {
      kind: repeated(wanted),
      flags: '--worker <role@adapter>',
      help: `a worker: ${WORKER_ROLES.join(', ')}, and where (repeatable)`,
      required: true,
    },
  },
  network: {
    nats: {
      kind: natsChoice,
      flags: '--nats <how>',
      help: 'a NATS server that is there, or none: workers are known by their addresses (default: one is started)',
    },
  },
} as const satisfies Readonly<Record<string, CommandTable>>;

const options = (command: Command) => {
  const workers = addTable(command, 'cluster', CLUSTER.workers);
  const placed = addTable(addTable(workers, 'router', ROUTER.placement), 'cluster', CLUSTER.network);
  const kept = addTable(addTable(placed, 'control', CONTROL), 'router', ROUTER.kept);
  return addModelOptions(addSchedulingOptions(addHttpOptions(kept.addOption(tableOption('kvReserve')))));
};

/** An option as it was typed. */
export type Typed = readonly [flag: string, ...value: string[]];

export type ClusterFlags = Flags<typeof options> & {
  /** What its workers and its router take of what was typed. */
  readonly typed: { readonly worker: readonly Typed[]; readonly router: readonly Typed[] };
};

export function declare(command: Command): void {
  options(
    command.description(
      'Runs workers and a router on this machine, shows what they do, and starts anew what dies. Takes the options of ' +
        '"ridgepoint worker" and of "ridgepoint router".',
    ),
  );
  // What was typed goes on as it was, to whom it is for.
  const typed: Typed[] = [];
  for (const option of command.options) {
    const { long } = option;
    if (long === undefined || long === null) continue;
    command.on(`option:${option.name()}`, (value: string | null) => {
      typed.push(value === null ? [long] : [long, value]);
    });
  }
  const own = ['--worker', '--placement', '--nats', '--adapter', '--quiet'];
  const among = (others: { readonly options: readonly { readonly long?: string | null }[] }): Typed[] =>
    typed.filter(([flag]) => !own.includes(flag) && others.options.some(({ long }) => long === flag));
  command
    .addHelpText(
      'after',
      `
Examples:
  ridgepoint cluster --worker prefill@lavapipe --worker decode@swiftshader
  ridgepoint cluster --worker both --worker both --port 9000
  ridgepoint cluster --worker both --nats nats://nats.example.org:4222
${EXIT_CODES}`,
    )
    .action((flags) =>
      runToExit(async () => {
        const worker = among(workerOptions(command.createCommand()));
        const router = among(routerOptions(command.createCommand()));
        // A worker's queue is not the server's.
        const ofWorker = worker.filter(([flag]) => flag !== '--max-queue');
        const all = flags as unknown as ClusterFlags;
        return (await import('./run.js')).cluster({ ...all, typed: { worker: ofWorker, router } });
      }),
    );
}
