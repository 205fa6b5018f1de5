import type { Command } from 'commander';
import { addModelOptions, weightDtype, type ModelFlags } from './options.js';
import { nonEmpty, whole } from './parse.js';

/** Options of `evaluate`, under the names commander gives them. */
export interface EvaluateFlags extends ModelFlags {
  readonly window?: number;
  readonly stride?: number;
  readonly tokens?: number;
  readonly documents?: string;
  readonly against?: string;
  readonly json?: boolean;
}

export function addEvaluateOptions(command: Command): Command {
  const against = weightDtype('--against');
  command
    .option('--window <n>', 'tokens a forward pass sees (the context, at most 512)', whole('--window', 2))
    .option('--stride <n>', 'tokens from one window to the next (half a window)', whole('--stride', 1))
    .option('--tokens <n>', 'stop after about so many tokens of the text', whole('--tokens', 2))
    .option(
      '--documents <separator>',
      'the text is several, with lines of this between them; each is evaluated by itself',
      nonEmpty('--documents', 'a separator'),
    )
    .option(
      '--against <type>',
      'weights of the run to compare with (f16; f32 for an f16 run), or none',
      (text: string) => (text === 'none' ? text : against(text)),
    )
    .option('--json', 'print JSON');
  return addModelOptions(command);
}
