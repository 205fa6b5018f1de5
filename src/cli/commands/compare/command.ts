import type { Command } from '@commander-js/extra-typings';
import { STATISTICS } from '../../../../bench/compare/statistic.js';
import { KERNEL_SETS } from '../../../roofline/hardware/roof.js';
import { oneOf, text, type TextKind } from '../../../engine/options/kinds.js';
import { addTable, type CommandTable } from '../../options/command-table.js';
import { COMMON } from '../../options/common.js';
import { group, type Flags } from '../../options/group.js';
import { EXIT_CODES } from '../../options/help.js';
import { runToExit } from '../../run.js';

/** `15%` or `15`, as a share. */
const share: TextKind<number> = {
  wanted: 'a percentage such as 15%',
  read(given) {
    const match = /^\s*(\d+(?:\.\d+)?)\s*%?\s*$/.exec(given);
    return match === null ? undefined : Number(match[1]) / 100;
  },
};

export const COMPARE = {
  hardware: {
    calibration: {
      kind: text('the path of a file'),
      flags: '--calibration <file>',
      help: 'predict from this calibration',
    },
    hardware: { kind: text('an id'), flags: '--hardware <id>', help: 'predict from this entry of the catalogue' },
    kernels: {
      kind: oneOf(KERNEL_SETS),
      flags: '--kernels <set>',
      help: 'with an entry of the catalogue: tensor or shader (default: by the kernels that ran)',
    },
  },
  output: {
    report: { kind: text('a path'), flags: '--report <file>', help: 'write a page with figures, readable offline' },
    svg: { kind: text('the path of a folder'), flags: '--svg <folder>', help: 'write each figure as an SVG file' },
    png: { kind: text('the path of a folder'), flags: '--png <folder>', help: 'write each figure as a PNG file' },
    failAbove: {
      kind: share,
      flags: '--fail-above <percent>',
      help: 'exit code 1 when the MAPE of TTFT or TPOT is above this',
    },
    statistic: {
      kind: oneOf(STATISTICS),
      flags: '--statistic <name>',
      help: 'what stands for the repetitions: decile (the lower one, as in calibrations; default), median or fastest',
    },
  },
} as const satisfies Readonly<Record<string, CommandTable>>;

/** Adds the options that say what a result is predicted from. */
export const addHardwareOptions = group((command) => addTable(command, 'compare', COMPARE.hardware));

const options = (command: Command) => {
  const asked = addHardwareOptions(
    command
      .argument('[result]', 'a file that "bench" wrote, or "bench serve" or "simulate run"')
      .argument('[others...]', 'files to set beside it: several of "bench", or one with one of the latter two'),
  );
  return addTable(addTable(asked, 'compare', COMPARE.output), 'common', COMMON.json);
};

export type CompareFlags = Flags<typeof options>;

export function declare(command: Command): void {
  options(
    command.description(
      'Sets what "bench" measured beside what is predicted for this adapter: by point, by phase and by operation, with ' +
        'what binds each. Without a file it takes the latest result of this machine. Several results of "bench", of any ' +
        'machines and browsers, or two of "bench serve" or "simulate run", it sets beside each other.',
    ),
  )
    .addHelpText(
      'after',
      `
Examples:
  ridgepoint compare --report report.html
  ridgepoint compare result.json --fail-above 15%
  ridgepoint compare l4.json h100.json chrome.json
  ridgepoint compare served.json simulated.json
${EXIT_CODES}`,
    )
    .action((result, others, flags) =>
      runToExit(async () =>
        others.length === 0
          ? (await import('./run.js')).compare(result, flags)
          : (await import('./several.js')).compareSeveral([result!, ...others], flags),
      ),
    );
}
