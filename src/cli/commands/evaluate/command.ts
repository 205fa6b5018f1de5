import type { Command } from '@commander-js/extra-typings';
import { ENGINE_OPTIONS } from '../../../engine/options/engine-options.js';
import { addModelOptions } from '../../options/common.js';
import type { Flags } from '../../options/group.js';
import { EXIT_CODES } from '../../options/help.js';
import { runToExit } from '../../run.js';
import { nonEmpty, refuseFlag, whole } from '../../options/parse.js';

function against(text: string): string {
  const { kind } = ENGINE_OPTIONS.dtype;
  return text === 'none' ? text : (kind.read(text, undefined) ?? refuseFlag('--against', kind.wanted, text));
}

const options = (command: Command) =>
  addModelOptions(
    command
      .argument('[file]', 'a text in UTF-8')
      .option(
        '--tasks <names>',
        'ask the questions of small sets that come with the program: all, or names with commas',
        nonEmpty('--tasks', 'names of sets'),
      )
      .option('--window <n>', 'tokens a forward pass sees (the context, at most 512)', whole('--window', 2))
      .option('--stride <n>', 'tokens from one window to the next (half a window)', whole('--stride', 1))
      .option('--tokens <n>', 'stop after about so many tokens of the text', whole('--tokens', 2))
      .option(
        '--documents <separator>',
        'the text is several, with lines of this between them; each is evaluated by itself',
        nonEmpty('--documents', 'a separator'),
      )
      .option('--against <type>', 'weights of the run to compare with (f16; f32 for an f16 run), or none', against)
      .option('--json', 'print JSON'),
  );

export type EvaluateFlags = Flags<typeof options>;

export function declare(command: Command): void {
  options(
    command.description(
      'Measures how well a model predicts a text: its perplexity, over windows that slide along the text. Unless told not ' +
        'to, it runs the model in another precision beside it and says how far the two are apart. Or asks it questions ' +
        'with several answers, and counts those whose right answer it finds likeliest.',
    ),
  )
    .addHelpText(
      'after',
      `
The logits are those of prompts, computed as a prompt's are.

Examples:
  ridgepoint evaluate story.txt --dtype int8
  ridgepoint evaluate --tasks all
  ridgepoint evaluate stories.txt --documents '<|end|>' --dtype int4 --group-size 32
${EXIT_CODES}`,
    )
    .action((file, flags) => runToExit(async () => (await import('./run.js')).evaluate(file, flags)));
}
