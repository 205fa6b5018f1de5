import type { Command } from '@commander-js/extra-typings';
import { STATISTICS } from '../../../../bench/compare/statistic.js';
import { KERNEL_SETS } from '../../../roofline/hardware/roof.js';
import { group, type Flags } from '../../options/group.js';
import { EXIT_CODES } from '../../options/help.js';
import { runToExit } from '../../run.js';
import { nonEmpty, oneOf, refuseFlag } from '../../options/parse.js';

/** `15%` or `15`, as a share. */
export function shareOption(option: string): (text: string) => number {
  return (text) => {
    const match = /^\s*(\d+(?:\.\d+)?)\s*%?\s*$/.exec(text);
    return match === null ? refuseFlag(option, 'a percentage such as 15%', text) : Number(match[1]) / 100;
  };
}

/** Adds the options that say what a result is predicted from. */
export const addHardwareOptions = group((command) =>
  command
    .option('--calibration <file>', 'predict from this calibration', nonEmpty('--calibration', 'the path of a file'))
    .option('--hardware <id>', 'predict from this entry of the catalogue', nonEmpty('--hardware', 'an id'))
    .option(
      '--kernels <set>',
      'with an entry of the catalogue: tensor or shader (default: by the kernels that ran)',
      oneOf('--kernels', KERNEL_SETS),
    ),
);

const options = (command: Command) =>
  addHardwareOptions(command.argument('[result]', 'a file that "bench" wrote'))
    .option('--report <file>', 'write a page with figures, readable offline', nonEmpty('--report', 'a path'))
    .option('--svg <folder>', 'write each figure as an SVG file', nonEmpty('--svg', 'the path of a folder'))
    .option('--png <folder>', 'write each figure as a PNG file', nonEmpty('--png', 'the path of a folder'))
    .option(
      '--fail-above <percent>',
      'exit code 1 when the MAPE of TTFT or TPOT is above this',
      shareOption('--fail-above'),
    )
    .option(
      '--statistic <name>',
      'what stands for the repetitions: decile (the lower one, as in calibrations; default), median or fastest',
      oneOf('--statistic', STATISTICS),
    )
    .option('--json', 'print JSON');

export type CompareFlags = Flags<typeof options>;

export function declare(command: Command): void {
  options(
    command.description(
      'Sets what "bench" measured beside what is predicted for this adapter: by point, by phase and by operation, with ' +
        'what binds each. Without a file it takes the latest result of this machine.',
    ),
  )
    .addHelpText(
      'after',
      `
Examples:
  ridgepoint compare --report report.html
  ridgepoint compare result.json --fail-above 15%
${EXIT_CODES}`,
    )
    .action((result, flags) => runToExit(async () => (await import('./run.js')).compare(result, flags)));
}
