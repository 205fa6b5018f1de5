import type { Command } from 'commander';
import { STATISTICS } from '../../bench/compare/statistic.js';
import { KERNEL_SETS } from '../roofline/roof.js';
import { nonEmpty, oneOf, refuse } from './parse.js';

/** `15%` or `15`, as a share. */
export function share(option: string): (text: string) => number {
  return (text) => {
    const match = /^\s*(\d+(?:\.\d+)?)\s*%?\s*$/.exec(text);
    return match === null ? refuse(option, 'a percentage such as 15%', text) : Number(match[1]) / 100;
  };
}

/** Adds the options that say what a result is predicted from. */
export function addHardwareOptions(command: Command): Command {
  return command
    .option('--calibration <file>', 'predict from this calibration', nonEmpty('--calibration', 'the path of a file'))
    .option('--hardware <id>', 'predict from this entry of the catalogue', nonEmpty('--hardware', 'an id'))
    .option(
      '--kernels <set>',
      'with an entry of the catalogue: tensor or shader (default: by the kernels that ran)',
      oneOf('--kernels', KERNEL_SETS),
    );
}

export function addCompareOptions(command: Command): Command {
  return addHardwareOptions(command)
    .option('--report <file>', 'write a page with figures, readable offline', nonEmpty('--report', 'a path'))
    .option('--svg <folder>', 'write each figure as an SVG file', nonEmpty('--svg', 'the path of a folder'))
    .option('--png <folder>', 'write each figure as a PNG file', nonEmpty('--png', 'the path of a folder'))
    .option('--fail-above <percent>', 'exit code 1 when the MAPE of TTFT or TPOT is above this', share('--fail-above'))
    .option(
      '--statistic <name>',
      'what stands for the repetitions: decile (the lower one, as in calibrations; default), median or fastest',
      oneOf('--statistic', STATISTICS),
    )
    .option('--json', 'print JSON');
}
