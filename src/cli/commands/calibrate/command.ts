import { Option, type Command } from '@commander-js/extra-typings';
import type { Flags } from '../../options/group.js';
import { tableOption } from '../../options/table-flags.js';
import { runToExit } from '../../run.js';
import { version } from '../../version.js';

const options = (command: Command) =>
  command
    .addOption(tableOption('adapter', 'part of the name of an adapter'))
    .option('--ceilings-only', 'leave out the engine’s own kernels')
    .option(
      '--serving',
      'time steps while requests come and go, and add that to the calibration there is, or else to a new one',
    )
    .option('--output <file>', 'write the calibration there instead of the cache folder')
    .option('--json', 'print JSON')
    // Only measures matrix configurations from this place in the adapter's list on, and prints lines of JSON.
    .addOption(new Option('--matrices-from <place>').argParser(Number).hideHelp());

export type CalibrateFlags = Flags<typeof options>;

export function declare(command: Command): void {
  options(
    command.description(
      'Measures memory bandwidth, arithmetic and launch costs of an adapter with kernels built for nothing else, then how ' +
        'far the engine’s own kernels get, and keeps the result where predictions find it.',
    ),
  ).action((flags) => runToExit(async () => (await import('./run.js')).calibrateCommand(flags, version())));
}
