import type { Command } from '@commander-js/extra-typings';
import { WORKER_ROLES } from '../../../cluster/worker-link.js';
import { anyText, oneOf, text, whole } from '../../../engine/options/kinds.js';
import { addTable, type CommandTable } from '../../options/command-table.js';
import { addModelOptions } from '../../options/common.js';
import type { Flags } from '../../options/group.js';
import { CONTROL } from '../../options/control.js';
import { EXIT_CODES } from '../../options/help.js';
import { addSchedulingOptions } from '../../options/scheduling.js';
import { tableOption } from '../../options/table-flags.js';
import { address, natsUrl } from '../../options/text-kinds.js';
import { WIRE } from '../../options/wire.js';
import { runToExit } from '../../run.js';

export const WORKER = {
  role: {
    kind: oneOf(WORKER_ROLES),
    flags: '--role <role>',
    help: `what may be asked for: ${WORKER_ROLES.join(', ')}`,
    default: 'both',
  },
  listen: {
    kind: address,
    flags: '--listen <address>',
    help: 'where to listen: host:port, of which port 0 takes a free one, or unix:path',
    default: { host: '127.0.0.1', port: 7070 },
  },
  advertise: {
    kind: address,
    flags: '--advertise <host:port>',
    help: 'address under which others reach it, told to routers; port 0 is that of --listen (default: as --listen)',
  },
  cluster: {
    kind: natsUrl,
    flags: '--cluster <url>',
    help: 'NATS server by which routers find it, such as nats://127.0.0.1:4222 (or RIDGEPOINT_CLUSTER)',
  },
  clusterToken: {
    kind: anyText,
    flags: '--cluster-token <token>',
    help: 'what servers and routers must have (or RIDGEPOINT_CLUSTER_TOKEN)',
  },
  calibration: {
    kind: text('the path of a calibration'),
    flags: '--calibration <file>',
    help: 'what steps cost, for routers; default the newest of this adapter and driver',
  },
  maxQueue: {
    kind: whole(0),
    flags: '--max-queue <n>',
    help: 'choices of routers that may wait; more are sent elsewhere',
    default: 256,
  },
} as const satisfies CommandTable;

export const workerOptions = (command: Command) => {
  const asked = addTable(addTable(addTable(command, 'worker', WORKER), 'wire', WIRE), 'control', CONTROL);
  return addModelOptions(addSchedulingOptions(asked.addOption(tableOption('kvReserve'))));
};

export type WorkerFlags = Flags<typeof workerOptions>;

export function declare(command: Command): void {
  workerOptions(
    command.description(
      'Runs a model for others, in another process or on another machine: answers requests of "ridgepoint router", and ' +
        'computes prompts for other workers and for "ridgepoint serve --prefill-worker", to whom it sends their keys and ' +
        'values while it computes. All need the same model and format of keys and values.',
    ),
  )
    .addHelpText(
      'after',
      `
Examples:
  ridgepoint worker
  ridgepoint worker --role prefill --adapter llvmpipe --listen 127.0.0.1:7071
  RIDGEPOINT_CLUSTER_TOKEN=secret ridgepoint worker --listen 0.0.0.0:7070
  ridgepoint worker --cluster nats://127.0.0.1:4222 --listen 127.0.0.1:0
${EXIT_CODES}`,
    )
    .action((flags) => runToExit(async () => (await import('./run.js')).work(flags)));
}
