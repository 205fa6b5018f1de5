import type { Command } from '@commander-js/extra-typings';
import { anyText, text, toggle } from '../../../engine/options/kinds.js';
import { addTable, type CommandTable, type FlagsIn } from '../../options/command-table.js';
import { COMMON } from '../../options/common.js';
import { runToExit } from '../../run.js';

export const LEDGER = {
  rows: {
    kind: text('the path of a file'),
    flags: '--rows <file>',
    help: 'more rows, as "ridgepoint import" prints them',
  },
  fetch: {
    kind: text('the name of a source'),
    flags: '--fetch <name>',
    help: 'fetch the rows of a source whose licence keeps them out of the project (gpu-benchmarks), and keep them',
  },
  device: { kind: anyText, flags: '--device <id>', help: 'only rows of this hardware' },
  each: { kind: toggle, flags: '--each', help: 'one line for each measurement' },
  report: {
    kind: text('a path'),
    flags: '--report <file>',
    help: 'write a page with figures and every row, readable offline',
  },
  markdown: { kind: toggle, flags: '--markdown', help: 'print the table of docs/predictor.md' },
  json: COMMON.json.json,
  csv: { kind: toggle, flags: '--csv', help: 'print comma-separated values' },
} as const satisfies CommandTable;

export type LedgerFlags = FlagsIn<typeof LEDGER>;

export function declare(command: Command): void {
  addTable(
    command.description(
      'Sets public measurements beside our predictions: mean error, bias, and how many lie in our intervals.',
    ),
    'ledger',
    LEDGER,
  ).action((flags) => runToExit(async () => (await import('./run.js')).ledgerCommand(flags)));
}
