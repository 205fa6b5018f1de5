import type { Command } from 'commander';
import { nonEmpty, number, oneOf, refuse, repeated, whole } from './parse.js';
import type { ModelFlags } from './options.js';
import { addSchedulingOptions, type SchedulingFlags } from './scheduling-options.js';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Options of `serve`, under the names commander gives them. */
export interface ServeFlags extends ModelFlags, SchedulingFlags {
  readonly host: string;
  readonly port: number;
  readonly apiKey?: readonly string[];
  readonly allowedHost?: readonly string[];
  readonly cors?: readonly string[];
  readonly servedModelName?: readonly string[];
  readonly chatTemplate?: string;
  readonly maxQueue: number;
  readonly bodyLimit: number;
  readonly requestTimeout: number;
  readonly stallTimeout: number;
  readonly sseKeepAlive: number;
  readonly shutdownTimeout: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

/** setTimeout's longest, in seconds. */
const LONGEST = 2_147_483;

function seconds(option: string): (text: string) => number {
  return (text) => {
    const value = number(option)(text);
    return value > 0 && value <= LONGEST
      ? value
      : refuse(option, `a number of seconds above 0 and up to ${LONGEST}`, text);
  };
}

function secondsOrNone(text: string): number {
  return text === '0' ? 0 : seconds('--sse-keep-alive')(text);
}

function port(text: string): number {
  const value = whole('--port', 0)(text);
  return value <= 65535 ? value : refuse('--port', 'a whole number from 0 to 65535', text);
}

/** Adds the options that say who may ask, and how much. */
export function addServeOptions(command: Command): Command {
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
    .option('--served-model-name <name>', 'name of the model for clients (repeatable)', repeated('--served-model-name'))
    .option(
      '--chat-template <file>',
      'Jinja chat template to use instead of the model’s own',
      nonEmpty('--chat-template', 'the path of a file'),
    )
    .option('--max-queue <n>', 'choices that may wait; more are told to come back (429)', whole('--max-queue', 0), 256)
    .option('--body-limit <bytes>', 'largest request', whole('--body-limit', 1), 4 * 2 ** 20)
    .option('--request-timeout <s>', 'longest time for a request, waiting included', seconds('--request-timeout'), 600)
    .option('--stall-timeout <s>', 'cut off a reader that takes nothing for so long', seconds('--stall-timeout'), 30)
    .option('--sse-keep-alive <s>', 'a comment in a stream that is silent for so long; 0 for none', secondsOrNone, 15)
    .option('--shutdown-timeout <s>', 'from SIGTERM or Ctrl-C to the end', seconds('--shutdown-timeout'), 60)
    .option('--log-level <level>', LOG_LEVELS.join(', '), oneOf('--log-level', LOG_LEVELS), 'info');
  return addSchedulingOptions(command);
}
