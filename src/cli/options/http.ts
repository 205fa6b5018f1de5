import type { Command } from '@commander-js/extra-typings';
import { TOOL_FORMATS } from '../../tools/formats/format.js';
import { port } from './address.js';
import { group, type Flags } from './group.js';
import { number, oneOf, refuseFlag, repeated, whole } from './parse.js';
import { tableOption } from './table-flags.js';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** setTimeout's longest, in seconds. */
const LONGEST = 2_147_483;

function timeout(option: string): (text: string) => number {
  return (text) => {
    const value = number(option)(text);
    return value > 0 && value <= LONGEST
      ? value
      : refuseFlag(option, `a number of seconds above 0 and up to ${LONGEST}`, text);
  };
}

function secondsOrNone(text: string): number {
  return text === '0' ? 0 : timeout('--sse-keep-alive')(text);
}

const options = (command: Command) =>
  command
    .option('--host <address>', 'address to listen on; only this machine can reach the default', '127.0.0.1')
    .option('--port <n>', 'port to listen on; 0 takes a free one', port, 8000)
    .option('--api-key <key>', 'key that requests must have (repeatable; or RIDGEPOINT_API_KEY)', repeated('--api-key'))
    .option(
      '--allowed-host <name>',
      'name under which the server may be asked, beside addresses and localhost; * is any (repeatable)',
      repeated('--allowed-host'),
    )
    .option('--cors <origin>', 'web pages of this origin may call; * is all (repeatable)', repeated('--cors'))
    .option(
      '--served-model-name <name>',
      'name of the model for clients, * for any (repeatable)',
      repeated('--served-model-name'),
    )
    .addOption(tableOption('chatTemplate'))
    .option(
      '--tool-format <name>',
      `how the model writes calls of tools: ${TOOL_FORMATS.join(', ')}; default as its chat template has it`,
      oneOf('--tool-format', TOOL_FORMATS),
    )
    .option('--max-queue <n>', 'choices that may wait; more are told to come back (429)', whole('--max-queue', 0), 256)
    .option('--body-limit <bytes>', 'largest request', whole('--body-limit', 1), 4 * 2 ** 20)
    .option('--request-timeout <s>', 'longest time for a request, waiting included', timeout('--request-timeout'), 600)
    .option('--stall-timeout <s>', 'cut off a reader that takes nothing for so long', timeout('--stall-timeout'), 30)
    .option('--sse-keep-alive <s>', 'a comment in a stream that is silent for so long; 0 for none', secondsOrNone, 15)
    .option('--keep-alive <s>', 'close a connection that sends no request for so long', timeout('--keep-alive'), 72)
    .option('--no-ui', 'no page at /')
    .option('--shutdown-timeout <s>', 'from SIGTERM or Ctrl-C to the end', timeout('--shutdown-timeout'), 60)
    .option('--log-level <level>', LOG_LEVELS.join(', '), oneOf('--log-level', LOG_LEVELS), 'info');

/** Options of a server's HTTP side. */
export type HttpFlags = Flags<typeof options> & { readonly quiet?: boolean };

/** Adds the options of a server's HTTP side. */
export const addHttpOptions = group(options);
