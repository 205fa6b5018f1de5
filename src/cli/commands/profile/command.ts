import type { Command } from '@commander-js/extra-typings';
import { addHardwareOptions } from '../compare/command.js';
import { addModelOptions } from '../../options/common.js';
import type { Flags } from '../../options/group.js';
import { EXIT_CODES } from '../../options/help.js';
import { runToExit } from '../../run.js';
import { nonEmpty, whole } from '../../options/parse.js';

const options = (command: Command) =>
  addModelOptions(
    addHardwareOptions(
      command
        .option('--prompt <n>', 'tokens of the prefill (128)', whole('--prompt', 1))
        .option('--decode <n>', 'decode steps after it (8)', whole('--decode', 0))
        .option('--batch <n>', 'sequences of a decode step (1)', whole('--batch', 1))
        .option('--tokens <n>', 'tokens generated to see how busy the GPU is; 0 for none (128)', whole('--tokens', 0))
        .option(
          '--output <file>',
          'where the trace is written (trace.json)',
          nonEmpty('--output', 'the path of a file'),
        ),
    ),
  );

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
