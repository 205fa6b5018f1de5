import type { Command } from '@commander-js/extra-typings';
import { text, whole } from '../../../engine/options/kinds.js';
import { addHardwareOptions } from '../compare/command.js';
import { addTable, type CommandTable } from '../../options/command-table.js';
import { addModelOptions } from '../../options/common.js';
import type { Flags } from '../../options/group.js';
import { EXIT_CODES } from '../../options/help.js';
import { runToExit } from '../../run.js';

export const PROFILE = {
  prompt: { kind: whole(1), flags: '--prompt <n>', help: 'tokens of the prefill (128)' },
  decode: { kind: whole(0), flags: '--decode <n>', help: 'decode steps after it (8)' },
  batch: { kind: whole(1), flags: '--batch <n>', help: 'sequences of a decode step (1)' },
  tokens: {
    kind: whole(0),
    flags: '--tokens <n>',
    help: 'tokens generated to see how busy the GPU is; 0 for none (128)',
  },
  output: {
    kind: text('the path of a file'),
    flags: '--output <file>',
    help: 'where the trace is written (trace.json)',
  },
} as const satisfies CommandTable;

const options = (command: Command) => addModelOptions(addHardwareOptions(addTable(command, 'profile', PROFILE)));

export type ProfileFlags = Flags<typeof options>;

export function declare(command: Command): void {
  options(
    command.description(
      'Writes a trace that Perfetto opens, recording on the CPU and operations on the GPU, and prints which operations ' +
        'take longest beside what is predicted for them.',
    ),
  )
    .addHelpText(
      'after',
      `
Example:
  ridgepoint profile --prompt 256 --decode 4 --output trace.json
${EXIT_CODES}`,
    )
    .action((flags) => runToExit(async () => (await import('./run.js')).profile(flags)));
}
