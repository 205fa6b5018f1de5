import type { Command } from '@commander-js/extra-typings';
import type { Flags } from '../../options/group.js';
import { runToExit } from '../../run.js';

const options = (command: Command) =>
  command
    .option('--document <id>', 'only one document, 000 to 004')
    .option('--only <verdict>', 'only reproduced, consistent, predicted, wrong, simulator or other')
    .option('--json', 'print JSON');

export type SeedsFlags = Flags<typeof options>;

export function declare(command: Command): void {
  options(
    command.description(
      'Lists the numbers that five documents on prefill and decode publish, what our arithmetic gives, and which are wrong.\n' +
        'Fails if a number said to be reproduced or consistent is not, or a direction is predicted the other way.',
    ),
  ).action((flags) => runToExit(async () => (await import('./run.js')).seeds(flags)));
}
