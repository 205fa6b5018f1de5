import type { Command } from '@commander-js/extra-typings';
import { addTable } from '../../options/command-table.js';
import { COMMON } from '../../options/common.js';
import type { Flags } from '../../options/group.js';
import { tableOption } from '../../options/table-flags.js';
import { runToExit } from '../../run.js';

const options = (command: Command) =>
  addTable(
    command.addOption(tableOption('adapter', 'only the adapter that this part of a name chooses')),
    'common',
    COMMON.json,
  );

export type DevicesFlags = Flags<typeof options>;

export function declare(command: Command): void {
  options(
    command.description(
      'Lists the adapters of this machine with driver, features, limits and the kernels the engine will use.',
    ),
  ).action((flags) => runToExit(async () => (await import('./run.js')).devices(flags)));
}
