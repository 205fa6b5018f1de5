import type { Command } from '@commander-js/extra-typings';
import type { Flags } from '../../options/group.js';
import { port } from '../../options/address.js';
import { runToExit } from '../../run.js';

const options = (command: Command) =>
  command
    .option('--model <folder>', 'a folder with a checkpoint, which the page then reads from here')
    .option('--port <n>', 'the port; 0 takes a free one', port, 8080);

export type WebFlags = Flags<typeof options>;

export function declare(command: Command): void {
  options(command.description('Serves the page that runs a model in the browser, on this machine only.')).action(
    (flags) => runToExit(async () => (await import('./run.js')).web(flags)),
  );
}
