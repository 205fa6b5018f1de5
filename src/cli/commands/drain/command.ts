import type { Command } from '@commander-js/extra-typings';
import { addTable, type CommandTable } from '../../options/command-table.js';
import { COMMON } from '../../options/common.js';
import { CONTROL } from '../../options/control.js';
import { EXIT_CODES } from '../../options/help.js';
import type { Flags } from '../../options/group.js';
import { natsUrl, seconds } from '../../options/text-kinds.js';
import { runToExit } from '../../run.js';

export const DRAIN = {
  cluster: {
    kind: natsUrl,
    flags: '--cluster <url>',
    help: 'NATS server by which workers are told, such as nats://127.0.0.1:4222 (or RIDGEPOINT_CLUSTER)',
  },
  timeout: {
    kind: seconds,
    flags: '--timeout <s>',
    help: 'how long to wait until they have gone; they go on ending afterwards (default: as long as it takes)',
  },
} as const satisfies CommandTable;

const options = (command: Command) => {
  const asked = addTable(
    command.argument('<worker...>', 'addresses of workers, as they tell of themselves'),
    'drain',
    DRAIN,
  );
  return addTable(addTable(asked, 'control', CONTROL), 'common', COMMON.silence);
};

export type DrainFlags = Flags<typeof options>;

export function declare(command: Command): void {
  options(
    command.description(
      'Has workers of a cluster take nothing new, finish the requests and prompts that they have, and end; waits until ' +
        'they are gone. Nothing that runs is lost. What "ridgepoint cluster" runs is started anew.',
    ),
  )
    .addHelpText(
      'after',
      `
Examples:
  ridgepoint drain 10.0.0.5:7070 --cluster nats://nats.example.org:4222
  ridgepoint drain 127.0.0.1:7070 127.0.0.1:7071 --timeout 60 --cluster nats://127.0.0.1:4222
${EXIT_CODES}`,
    )
    .action((workers, flags) => runToExit(async () => (await import('./run.js')).drain(workers, flags)));
}
