import type { Command } from 'commander';
import { STATISTICS } from '../../bench/compare/statistic.js';
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
    .option('--hardware <id>', 'predict from this entry of the catalogue', nonEmpty('--hardware', 'an id'));
}

export function addCompareOptions(command: Command): Command {
  return addHardwareOptions(command)
    .option('--report <file>', 'write a page with figures, readable offline', nonEmpty('--report', 'a path'))
    .option('--svg <folder>', 'write each figure as an SVG file', nonEmpty('--svg', 'the path of a folder'))
    .option('--fail-above <percent>', 'exit code 1 when the MAPE of TTFT or TPOT is above this', share('--fail-above'))
    .option(
      '--statistic <name>',
      'what stands for the repetitions: median, or fastest where other programs share the cores',
      oneOf('--statistic', STATISTICS),
    )
    .option('--json', 'print JSON');
}
