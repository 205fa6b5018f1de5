import type { Command } from '@commander-js/extra-typings';
import { anyText } from '../../../engine/options/kinds.js';
import { addTable, type CommandTable, type FlagsIn } from '../../options/command-table.js';
import { port } from '../../options/text-kinds.js';
import { runToExit } from '../../run.js';

export const WEB = {
  model: {
    kind: anyText,
    flags: '--model <folder>',
    help: 'a folder with a checkpoint, which the page then reads from here',
  },
  port: { kind: port, flags: '--port <n>', help: 'the port; 0 takes a free one', default: 8080 },
} as const satisfies CommandTable;

export type WebFlags = FlagsIn<typeof WEB>;

export function declare(command: Command): void {
  addTable(
    command.description('Serves the page that runs a model in the browser, on this machine only.'),
    'web',
    WEB,
  ).action((flags) => runToExit(async () => (await import('./run.js')).web(flags)));
}
