import type { Command } from '@commander-js/extra-typings';
import { addTable } from '../../options/command-table.js';
import { addModelOptions } from '../../options/common.js';
import type { Flags } from '../../options/group.js';
import { EXIT_CODES } from '../../options/help.js';
import { runToExit } from '../../run.js';
import { BENCH_DISAGGREGATE } from './flags.js';

const options = (command: Command) => {
  const asked = addTable(command, 'benchDisaggregate', BENCH_DISAGGREGATE.what);
  return addModelOptions(addTable(asked, 'benchDisaggregate', BENCH_DISAGGREGATE.result));
};

export type BenchDisaggregateFlags = Flags<typeof options>;

/** Declares `bench disaggregate`. */
export function declare(command: Command): void {
  options(
    command.description(
      'Measures what it is worth to compute prompts on one adapter and to answer on another, over links of several ' +
        'rates: each cell beside the prediction from its halves, and against each adapter alone. Cells take turns, so ' +
        'that what the machine does beside falls on all alike.',
    ),
  )
    .addHelpText(
      'after',
      `
Examples:
  ridgepoint bench disaggregate --pair llvmpipe:swiftshader
  ridgepoint bench disaggregate --pair llvmpipe:swiftshader --pair llvmpipe:llvmpipe --output gain.json --svg gain.svg
${EXIT_CODES}`,
    )
    .action((flags) => runToExit(async () => (await import('./run.js')).benchDisaggregate(flags)));
}
