import type { Command } from '@commander-js/extra-typings';
import { PLACEMENTS } from '../../../cluster/placement.js';
import { anyText, oneOf, toggle } from '../../../engine/options/kinds.js';
import { addTable, type CommandTable } from '../../options/command-table.js';
import { COMMON } from '../../options/common.js';
import { CONTROL } from '../../options/control.js';
import { EXIT_CODES } from '../../options/help.js';
import { addHttpOptions } from '../../options/http.js';
import type { Flags } from '../../options/group.js';
import { tableOption } from '../../options/table-flags.js';
import { address, natsUrl, repeated, seconds } from '../../options/text-kinds.js';
import { WIRE } from '../../options/wire.js';
import { runToExit } from '../../run.js';

export const ROUTER = {
  workers: {
    worker: {
      kind: repeated(address),
      flags: '--worker <address>',
      help: 'a "ridgepoint worker" (repeatable)',
    },
    cluster: {
      kind: natsUrl,
      flags: '--cluster <url>',
      help: 'NATS server by which workers are found, such as nats://127.0.0.1:4222 (or RIDGEPOINT_CLUSTER)',
    },
  },
  placement: {
    placement: {
      kind: oneOf(PLACEMENTS),
      flags: '--placement <name>',
      help: `who gets a request: ${PLACEMENTS.join(', ')}`,
      default: 'cost',
    },
    workerSilence: {
      kind: seconds,
      flags: '--worker-silence <s>',
      help: 'a request goes on elsewhere when nothing comes of it for so long and its worker makes no step',
      default: 120,
    },
  },
  kept: {
    durable: {
      kind: toggle,
      flags: '--durable',
      help: 'keep requests in the NATS server’s JetStream until they are answered: what a router leaves another one answers',
    },
  },
  token: {
    clusterToken: {
      kind: anyText,
      flags: '--cluster-token <token>',
      help: 'what the workers ask for (or RIDGEPOINT_CLUSTER_TOKEN)',
    },
  },
} as const satisfies Readonly<Record<string, CommandTable>>;

export const routerOptions = (command: Command) => {
  const workers = addTable(addTable(command, 'router', ROUTER.workers), 'router', ROUTER.placement);
  const asked = addTable(
    addTable(addTable(workers, 'router', ROUTER.kept), 'router', ROUTER.token),
    'wire',
    WIRE,
  ).addOption(tableOption('model'));
  return addHttpOptions(addTable(addTable(asked, 'control', CONTROL), 'common', COMMON.silence));
};

export type RouterFlags = Flags<typeof routerOptions>;

export function declare(command: Command): void {
  routerOptions(
    command.description(
      'Serves a model that workers run to many clients, through the HTTP API of "ridgepoint serve" and with its ' +
        'options: texts are made here, tokens there. What a worker began and did not finish goes on elsewhere.',
    ),
  )
    .addHelpText(
      'after',
      `
Examples:
  ridgepoint worker --listen 127.0.0.1:7070
  ridgepoint worker --listen 127.0.0.1:7071
  ridgepoint router --worker 127.0.0.1:7070 --worker 127.0.0.1:7071
  ridgepoint router --cluster nats://127.0.0.1:4222 --durable
${EXIT_CODES}`,
    )
    .action((flags) => runToExit(async () => (await import('./run.js')).route(flags)));
}
