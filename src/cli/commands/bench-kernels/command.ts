import type { Command } from '@commander-js/extra-typings';
import { addTable } from '../../options/command-table.js';
import { COMMON } from '../../options/common.js';
import type { Flags } from '../../options/group.js';
import { tableOption } from '../../options/table-flags.js';
import { runToExit } from '../../run.js';
import { BENCH_KERNELS } from './flags.js';

const options = (command: Command) => {
  const points = addTable(command, 'benchKernels', BENCH_KERNELS.points).addOption(tableOption('adapter'));
  return addTable(addTable(points, 'benchKernels', BENCH_KERNELS.run), 'common', COMMON.progress);
};

export type BenchKernelsFlags = Flags<typeof options>;

/** Declares `bench kernels`. Its options are not those of `bench`, which loads a model. */
export function declare(command: Command): void {
  options(
    command.description(
      'Times every variant of every kernel that the adapter can run on random data: milliseconds of a launch, GB/s, ' +
        'GFLOP/s, and the share of the calibrated ceiling that binds it. No model is loaded; only its sizes are used.',
    ),
  ).action((flags) => runToExit(async () => (await import('./run.js')).benchKernels(flags)));
}
