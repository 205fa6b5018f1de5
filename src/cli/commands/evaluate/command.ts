import type { Command } from '@commander-js/extra-typings';
import { ENGINE_OPTIONS } from '../../../engine/options/engine-options.js';
import { text, whole, type TextKind } from '../../../engine/options/kinds.js';
import { addTable, type CommandTable } from '../../options/command-table.js';
import { addModelOptions, COMMON } from '../../options/common.js';
import type { Flags } from '../../options/group.js';
import { EXIT_CODES } from '../../options/help.js';
import { runToExit } from '../../run.js';

const { kind: dtype } = ENGINE_OPTIONS.dtype;

const against: TextKind<string> = {
  ...dtype,
  read: (given) => (given === 'none' ? given : dtype.read(given, undefined)),
};

export const EVALUATE = {
  tasks: {
    kind: text('names of sets'),
    flags: '--tasks <names>',
    help: 'ask the questions of small sets that come with the program: all, or names with commas',
  },
  window: { kind: whole(2), flags: '--window <n>', help: 'tokens a forward pass sees (the context, at most 512)' },
  stride: { kind: whole(1), flags: '--stride <n>', help: 'tokens from one window to the next (half a window)' },
  tokens: { kind: whole(2), flags: '--tokens <n>', help: 'stop after about so many tokens of the text' },
  documents: {
    kind: text('a separator'),
    flags: '--documents <separator>',
    help: 'the text is several, with lines of this between them; each is evaluated by itself',
  },
  against: {
    kind: against,
    flags: '--against <type>',
    help: 'weights of the run to compare with (f16; f32 for an f16 run), or none',
  },
  json: COMMON.json.json,
} as const satisfies CommandTable;

const options = (command: Command) =>
  addModelOptions(addTable(command.argument('[file]', 'a text in UTF-8'), 'evaluate', EVALUATE));

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
