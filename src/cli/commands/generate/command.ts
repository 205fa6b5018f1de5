import type { Command } from '@commander-js/extra-typings';
import { addModelOptions, addSamplingOptions } from '../../options/common.js';
import type { Flags } from '../../options/group.js';
import { EXIT_CODES } from '../../options/help.js';
import { nonEmpty, promptIds } from '../../options/parse.js';
import { addSpeculationOptions } from '../../options/scheduling.js';
import { tableOption } from '../../options/table-flags.js';
import { runToExit } from '../../run.js';

const options = (command: Command) =>
  addModelOptions(
    addSpeculationOptions(
      addSamplingOptions(
        command
          .argument('[prompt]', 'text to be continued, in quotes')
          .option(
            '--prompt-file <file>',
            'read the prompt from a file',
            nonEmpty('--prompt-file', 'the path of a file'),
          )
          .option('--prompt-ids <ids>', 'token ids such as 1,403,407 instead of text', promptIds)
          .option('--no-echo', 'print the continuation alone, without the prompt before it')
          .option('--json', 'print one JSON object when done, and nothing else')
          .addOption(tableOption('logprobs', 'with --json: log-probabilities of each token and of the n likeliest'))
          .option('--timings', 'show where the time went'),
      ),
    ),
  );

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
