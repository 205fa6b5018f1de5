import type { Command } from '@commander-js/extra-typings';
import type { Flags } from '../../options/group.js';
import { nonEmpty } from '../../options/parse.js';
import { runToExit } from '../../run.js';

const options = (command: Command) =>
  command
    .option('--rows <file>', 'more rows, as "ridgepoint import" prints them', nonEmpty('--rows', 'the path of a file'))
    .option('--device <id>', 'only rows of this hardware')
    .option('--each', 'one line for each measurement')
    .option('--markdown', 'print the table of docs/predictor.md')
    .option('--json', 'print JSON')
    .option('--csv', 'print comma-separated values');

export type LedgerFlags = Flags<typeof options>;

export function declare(command: Command): void {
  options(
    command.description(
      'Sets public measurements beside our predictions: mean error, bias, and how many lie in our intervals.',
    ),
  ).action((flags) => runToExit(async () => (await import('./run.js')).ledgerCommand(flags)));
}
