import type { Command } from '@commander-js/extra-typings';
import { anyText, toggle } from '../../../engine/options/kinds.js';
import { addTable, type CommandTable } from '../../options/command-table.js';
import { addModelOptions, addSamplingOptions } from '../../options/common.js';
import type { Flags } from '../../options/group.js';
import { EXIT_CODES } from '../../options/help.js';
import { tableOption } from '../../options/table-flags.js';
import { runToExit } from '../../run.js';

export const CHAT = {
  conversation: {
    system: { kind: anyText, flags: '--system <text>', help: 'instructions that come before the conversation' },
  },
  template: {
    plain: {
      kind: toggle,
      flags: '--plain',
      help: 'no template: each line typed is continued as text, as the built-in story model wants it',
    },
  },
} as const satisfies Readonly<Record<string, CommandTable>>;

const options = (command: Command) => {
  const talked = addTable(command, 'chat', CHAT.conversation).addOption(tableOption('chatTemplate'));
  return addModelOptions(addSamplingOptions(addTable(talked, 'chat', CHAT.template)));
};

export type ChatFlags = Flags<typeof options>;

export function declare(command: Command): void {
  options(
    command.description(
      'Talks with a model through its chat template. Ctrl-C stops a reply, Ctrl-D leaves.\n' +
        'Without a terminal each line of standard input is a message, and replies go to standard output.',
    ),
  )
    .addHelpText(
      'after',
      `
Examples:
  ridgepoint chat --model TinyLlama/TinyLlama-1.1B-Chat-v1.0 --system "Answer briefly."
  ridgepoint chat --plain
${EXIT_CODES}`,
    )
    .action((flags) => runToExit(async () => (await import('./run.js')).chat(flags)));
}
