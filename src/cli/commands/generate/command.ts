import type { Command } from '@commander-js/extra-typings';
import { readIds, text, toggle, WANTED_IDS } from '../../../engine/options/kinds.js';
import { addTable, type CommandTable } from '../../options/command-table.js';
import { addModelOptions, addSamplingOptions } from '../../options/common.js';
import type { Flags } from '../../options/group.js';
import { EXIT_CODES } from '../../options/help.js';
import { addSpeculationOptions } from '../../options/scheduling.js';
import { addTableOptions } from '../../options/table-flags.js';
import { runToExit } from '../../run.js';

export const GENERATE = {
  prompt: {
    promptFile: {
      kind: text('the path of a file'),
      flags: '--prompt-file <file>',
      help: 'read the prompt from a file',
    },
    promptIds: {
      kind: { wanted: WANTED_IDS, read: readIds },
      flags: '--prompt-ids <ids>',
      help: 'token ids such as 1,403,407 instead of text',
    },
    noEcho: { kind: toggle, flags: '--no-echo', help: 'print the continuation alone, without the prompt before it' },
    json: { kind: toggle, flags: '--json', help: 'print one JSON object when done, and nothing else' },
  },
  output: { timings: { kind: toggle, flags: '--timings', help: 'show where the time went' } },
} as const satisfies Readonly<Record<string, CommandTable>>;

const options = (command: Command) => {
  const prompted = addTable(
    command.argument('[prompt]', 'text to be continued, in quotes'),
    'generate',
    GENERATE.prompt,
  );
  const logged = addTableOptions(prompted, ['logprobs'], {
    logprobs: 'with --json: log-probabilities of each token and of the n likeliest',
  });
  return addModelOptions(addSpeculationOptions(addSamplingOptions(addTable(logged, 'generate', GENERATE.output))));
};

export type GenerateFlags = Flags<typeof options>;

export function declare(command: Command): void {
  options(
    command.description(
      'Continues a prompt. Text goes to standard output, everything else to standard error.\n' +
        'Without a prompt, or with "-", it is read from standard input, less one line end at its end.',
    ),
  )
    .addHelpText(
      'after',
      `
A prompt given as ids is printed as its text; a model without a tokenizer prints ids throughout.

Examples:
  ridgepoint generate "Once upon a time" --temperature 0
  echo "One day, a fox" | ridgepoint generate --max-tokens 50 --quiet > story.txt
  ridgepoint generate "The sea" --stop "." --seed 7 --json
  ridgepoint generate --model llama-2-7b --weights synthetic --prompt-ids 1,2,3 --max-tokens 4
${EXIT_CODES}`,
    )
    .action((prompt, flags) => runToExit(async () => (await import('./run.js')).generate(prompt, flags)));
}
