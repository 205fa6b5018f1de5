import { Option, type Command } from '@commander-js/extra-typings';
import type { Address } from '../../../cluster/address.js';
import { PLACEMENTS } from '../../../cluster/placement.js';
import { address } from '../../options/address.js';
import { EXIT_CODES } from '../../options/help.js';
import { addHttpOptions } from '../../options/http.js';
import type { Flags } from '../../options/group.js';
import { oneOf } from '../../options/parse.js';
import { tableOption } from '../../options/table-flags.js';
import { runToExit } from '../../run.js';

const worker = address('--worker');

export const placementOption = () =>
  new Option('--placement <name>', `who gets a request: ${PLACEMENTS.join(', ')}`)
    .argParser(oneOf('--placement', PLACEMENTS))
    .default('cost' as const);

export const routerOptions = (command: Command) =>
  addHttpOptions(
    command
      .addOption(
        new Option('--worker <host:port>', 'a "ridgepoint worker" (repeatable)')
          .argParser((text: string, before?: Address[]) => [...(before ?? []), worker(text)])
          .makeOptionMandatory(),
      )
      .addOption(placementOption())
      .option('--cluster-token <token>', 'what the workers ask for (or RIDGEPOINT_CLUSTER_TOKEN)')
      .addOption(tableOption('model'))
      .option('--quiet', 'nothing on standard error'),
  );

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
${EXIT_CODES}`,
    )
    .action((flags) => runToExit(async () => (await import('./run.js')).route(flags)));
}
