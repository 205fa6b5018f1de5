import type { Command } from '@commander-js/extra-typings';
import type { Flags } from '../../options/group.js';
import { EXIT_CODES } from '../../options/help.js';
import { repeated } from '../../options/parse.js';
import { runToExit } from '../../run.js';

const options = (command: Command) =>
  command
    .option('--url <address>', 'the server that was asked', 'http://127.0.0.1:8000')
    .option('--api-key <key>', 'a key of that server (or RIDGEPOINT_API_KEY)')
    .option(
      '--without <request>',
      'what would it have been if that request had not come? (repeatable)',
      repeated('--without'),
    )
    .option('--json', 'print JSON');

export type ExplainFlags = Flags<typeof options>;

export function declare(command: Command): void {
  options(
    command
      .argument('<request>', 'the x-request-id or the id of an answer')
      .description(
        'Says where the time of a request to a running server went: the queue, its own prompt and tokens, prompts and ' +
          'rows of others in its steps, being sent away for memory, the host. And what it would have been without the ' +
          'others, by replaying the recorded steps through the same scheduler.',
      ) as unknown as Command,
  )
    .addHelpText(
      'after',
      `
Examples:
  ridgepoint explain cmpl-81fe0c1e-9a4f-4d3c-8a56-0d6c9a3d0b11
  ridgepoint explain b2fd058c-0001 --without d877313f-0002 --url http://10.0.0.5:8000
${EXIT_CODES}`,
    )
    .action((...given) => {
      const [request, flags] = given as unknown as [string, ExplainFlags];
      return runToExit(async () => (await import('./run.js')).explainRequest(request, flags));
    });
}
