import type { Command } from '@commander-js/extra-typings';
import { WEIGHT_DTYPES } from '../../../engine/options/engine-options.js';
import type { Flags } from '../../options/group.js';
import { seconds } from '../../options/parse.js';
import { addTableOptions } from '../../options/table-flags.js';
import { runToExit } from '../../run.js';

const ENGINE = [
  ...(['model', 'adapter', 'dtype', 'groupSize', 'zeroPoints', 'headDtype'] as const),
  ...(['activations', 'kvDtype', 'contextLength'] as const),
] as const;

const options = (command: Command) =>
  addTableOptions(command, ENGINE, {
    model: 'whose sizes to measure: a folder, a Hub name or a preset; the built-in model when absent',
    dtype: `weights: ${WEIGHT_DTYPES.join(', ')}`,
    groupSize: 'of int8 and int4: 32, 64 or 128',
    zeroPoints: 'int8 and int4 with zero points',
    headDtype: 'embedding and lm_head',
    activations: 'prompts: f32, or int8 beside int8 weights',
    kvDtype: 'keys and values: auto, f16, f32 or int8',
    contextLength: 'longest sequence, which decides the KV type',
  })
    .option('--budget <seconds>', 'about how long it may take', seconds('--budget'))
    .option('--force', 'measure again what is known')
    .option('--json', 'print JSON')
    .option('--quiet', 'no progress on standard error');

export type TuneFlags = Flags<typeof options>;

export function declare(command: Command): void {
  options(
    command.description(
      'Times the variants of each kernel at a model’s sizes, checks their results, and keeps the fastest for later loads.\n' +
        'A GPU does so by itself when it first loads a large model; a driver that runs on the CPU only when asked to.',
    ),
  ).action((flags) => runToExit(async () => (await import('./run.js')).tuneCommand(flags)));
}
