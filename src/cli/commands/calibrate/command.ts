import type { Command } from '@commander-js/extra-typings';
import { anyText, toggle, whole } from '../../../engine/options/kinds.js';
import { COMMON } from '../../options/common.js';
import { addTable, type CommandTable } from '../../options/command-table.js';
import type { Flags } from '../../options/group.js';
import { tableOption } from '../../options/table-flags.js';
import { runToExit } from '../../run.js';
import { version } from '../../version.js';

export const CALIBRATE = {
  what: {
    ceilingsOnly: { kind: toggle, flags: '--ceilings-only', help: 'leave out the engine’s own kernels' },
    serving: {
      kind: toggle,
      flags: '--serving',
      help: 'time steps while requests come and go, and add that to the calibration there is, or else to a new one',
    },
    output: {
      kind: anyText,
      flags: '--output <file>',
      help: 'write the calibration there instead of the cache folder',
    },
  },
  parts: {
    matricesFrom: {
      kind: whole(0),
      flags: '--matrices-from <place>',
      help: 'only measure matrix configurations from this place in the adapter’s list on, and print lines of JSON',
      hidden: true,
    },
  },
} as const satisfies Readonly<Record<string, CommandTable>>;

const options = (command: Command) => {
  const asked = command.addOption(tableOption('adapter', 'part of the name of an adapter'));
  const told = addTable(addTable(asked, 'calibrate', CALIBRATE.what), 'common', COMMON.json);
  return addTable(told, 'calibrate', CALIBRATE.parts);
};

export type CalibrateFlags = Flags<typeof options>;

export function declare(command: Command): void {
  options(
    command.description(
      'Measures memory bandwidth, arithmetic and launch costs of an adapter with kernels built for nothing else, then how ' +
        'far the engine’s own kernels get, and keeps the result where predictions find it.',
    ),
  ).action((flags) => runToExit(async () => (await import('./run.js')).calibrateCommand(flags, version())));
}
