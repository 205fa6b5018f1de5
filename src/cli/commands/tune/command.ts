import type { Command } from '@commander-js/extra-typings';
import { WEIGHT_DTYPES } from '../../../engine/options/engine-options.js';
import { toggle } from '../../../engine/options/kinds.js';
import { addTable, type CommandTable } from '../../options/command-table.js';
import { COMMON } from '../../options/common.js';
import type { Flags } from '../../options/group.js';
import { addTableOptions } from '../../options/table-flags.js';
import { seconds } from '../../options/text-kinds.js';
import { runToExit } from '../../run.js';

const ENGINE = [
  ...(['model', 'adapter', 'dtype', 'groupSize', 'zeroPoints', 'headDtype'] as const),
  ...(['activations', 'kvDtype', 'contextLength'] as const),
] as const;

export const TUNE = {
  budget: { kind: seconds, flags: '--budget <seconds>', help: 'about how long it may take' },
  force: { kind: toggle, flags: '--force', help: 'measure again what is known' },
  json: COMMON.json.json,
  quiet: COMMON.progress.quiet,
} as const satisfies CommandTable;

const options = (command: Command) => {
  const sized = addTableOptions(command, ENGINE, {
    model: 'whose sizes to measure: a folder, a Hub name or a preset; the built-in model when absent',
    dtype: `weights: ${WEIGHT_DTYPES.join(', ')}`,
    groupSize: 'of int8 and int4: 32, 64 or 128',
    zeroPoints: 'int8 and int4 with zero points',
    headDtype: 'embedding and lm_head',
    activations: 'prompts: f32, or int8 beside int8 weights',
    kvDtype: 'keys and values: auto, f16, f32 or int8',
    contextLength: 'longest sequence, which decides the KV type',
  });
  return addTable(sized, 'tune', TUNE);
};

export type TuneFlags = Flags<typeof options>;

export function declare(command: Command): void {
  options(
    command.description(
      'Times the variants of each kernel at a model’s sizes, checks their results, and keeps the fastest for later loads.\n' +
        'A GPU does so by itself when it first loads a large model; a driver that runs on the CPU only when asked to.',
    ),
  ).action((flags) => runToExit(async () => (await import('./run.js')).tuneCommand(flags)));
}
