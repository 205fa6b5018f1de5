import { anyText, number, oneOf, texts, toggle, whole, type TextKind } from '../../engine/options/kinds.js';
import { TOOL_FORMATS } from '../../tools/formats/format.js';
import { addTable, type CommandTable, type FlagsIn } from './command-table.js';
import { group } from './group.js';
import { addTableOptions, type FlagsOf } from './table-flags.js';
import { port } from './text-kinds.js';

/** setTimeout's longest, in seconds. */
const LONGEST = 2_147_483;
const timeout = number({ low: 0, high: LONGEST, above: true }, 'a number of seconds');
const timeoutOrNone: TextKind<number> = {
  ...timeout,
  read: (given, before) => (given === '0' ? 0 : timeout.read(given, before)),
};

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** The options of a server's HTTP side. */
export const HTTP = {
  clients: {
    host: {
      kind: anyText,
      flags: '--host <address>',
      help: 'address to listen on; only this machine can reach the default',
      default: '127.0.0.1',
    },
    port: { kind: port, flags: '--port <n>', help: 'port to listen on; 0 takes a free one', default: 8000 },
    apiKey: {
      kind: texts,
      flags: '--api-key <key>',
      help: 'key that requests must have (repeatable; or RIDGEPOINT_API_KEY)',
    },
    allowedHost: {
      kind: texts,
      flags: '--allowed-host <name>',
      help: 'name under which the server may be asked, beside addresses and localhost; * is any (repeatable)',
    },
    cors: {
      kind: texts,
      flags: '--cors <origin>',
      help: 'web pages of this origin may call; * is all (repeatable)',
    },
    servedModelName: {
      kind: texts,
      flags: '--served-model-name <name>',
      help: 'name of the model for clients, * for any (repeatable)',
    },
  },
  requests: {
    toolFormat: {
      kind: oneOf(TOOL_FORMATS),
      flags: '--tool-format <name>',
      help: `how the model writes calls of tools: ${TOOL_FORMATS.join(', ')}; default as its chat template has it`,
    },
    maxQueue: {
      kind: whole(0),
      flags: '--max-queue <n>',
      help: 'choices that may wait; more are told to come back (429)',
      default: 256,
    },
    bodyLimit: { kind: whole(1), flags: '--body-limit <bytes>', help: 'largest request', default: 4 * 2 ** 20 },
    requestTimeout: {
      kind: timeout,
      flags: '--request-timeout <s>',
      help: 'longest time for a request, waiting included',
      default: 600,
    },
    stallTimeout: {
      kind: timeout,
      flags: '--stall-timeout <s>',
      help: 'cut off a reader that takes nothing for so long',
      default: 30,
    },
    sseKeepAlive: {
      kind: timeoutOrNone,
      flags: '--sse-keep-alive <s>',
      help: 'a comment in a stream that is silent for so long; 0 for none',
      default: 15,
    },
    keepAlive: {
      kind: timeout,
      flags: '--keep-alive <s>',
      help: 'close a connection that sends no request for so long',
      default: 72,
    },
    noUi: { kind: toggle, flags: '--no-ui', help: 'no page at /' },
    shutdownTimeout: {
      kind: timeout,
      flags: '--shutdown-timeout <s>',
      help: 'from SIGTERM or Ctrl-C to the end',
      default: 60,
    },
    logLevel: { kind: oneOf(LOG_LEVELS), flags: '--log-level <level>', help: LOG_LEVELS.join(', '), default: 'info' },
  },
} as const satisfies Readonly<Record<string, CommandTable>>;

/** Options of a server's HTTP side. */
export type HttpFlags = FlagsIn<typeof HTTP.clients> &
  FlagsIn<typeof HTTP.requests> &
  FlagsOf<'chatTemplate'> & { readonly quiet?: boolean };

/** Adds the options of a server's HTTP side. */
export const addHttpOptions = group((command) => {
  const asked = addTableOptions(addTable(command, 'http', HTTP.clients), ['chatTemplate']);
  return addTable(asked, 'http', HTTP.requests);
});
