import type { Command } from '@commander-js/extra-typings';
import { anyText, texts } from '../../../engine/options/kinds.js';
import { addTable, type CommandTable, type FlagsIn } from '../../options/command-table.js';
import { COMMON } from '../../options/common.js';
import { EXIT_CODES } from '../../options/help.js';
import { runToExit } from '../../run.js';

export const EXPLAIN = {
  url: { kind: anyText, flags: '--url <address>', help: 'the server that was asked', default: 'http://127.0.0.1:8000' },
  apiKey: { kind: anyText, flags: '--api-key <key>', help: 'a key of that server (or RIDGEPOINT_API_KEY)' },
  without: {
    kind: texts,
    flags: '--without <request>',
    help: 'what would it have been if that request had not come? (repeatable)',
  },
  json: COMMON.json.json,
} as const satisfies CommandTable;

export type ExplainFlags = FlagsIn<typeof EXPLAIN>;

export function declare(command: Command): void {
  const asked = command
    .argument('<request>', 'the x-request-id or the id of an answer')
    .description(
      'Says where the time of a request to a running server went: the queue, its own prompt and tokens, prompts and ' +
        'rows of others in its steps, being sent away for memory, the host. And what it would have been without the ' +
        'others, by replaying the recorded steps through the same scheduler.',
    );
  addTable(asked, 'explain', EXPLAIN)
    .addHelpText(
      'after',
      `
Examples:
  ridgepoint explain cmpl-81fe0c1e-9a4f-4d3c-8a56-0d6c9a3d0b11
  ridgepoint explain b2fd058c-0001 --without d877313f-0002 --url http://10.0.0.5:8000
${EXIT_CODES}`,
    )
    .action((request, flags) => runToExit(async () => (await import('./run.js')).explainRequest(request, flags)));
}
