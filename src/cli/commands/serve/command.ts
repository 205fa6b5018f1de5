import type { Command } from '@commander-js/extra-typings';
import { anyText, number } from '../../../engine/options/kinds.js';
import { addTable, type CommandTable } from '../../options/command-table.js';
import { addModelOptions } from '../../options/common.js';
import type { Flags } from '../../options/group.js';
import { EXIT_CODES } from '../../options/help.js';
import { addHttpOptions } from '../../options/http.js';
import { addSchedulingOptions } from '../../options/scheduling.js';
import { addTableOptions } from '../../options/table-flags.js';
import { address } from '../../options/text-kinds.js';
import { WIRE } from '../../options/wire.js';
import { runToExit } from '../../run.js';

const slo = number({ low: 0, above: true }, 'a number of milliseconds');

export const SERVE = {
  prompts: {
    prefillAdapter: {
      kind: anyText,
      flags: '--prefill-adapter <name>',
      help: 'part of the name of another adapter, which computes prompts for --adapter',
    },
    prefillWorker: {
      kind: address,
      flags: '--prefill-worker <address>',
      help: 'a "ridgepoint worker", which computes prompts',
    },
    clusterToken: {
      kind: anyText,
      flags: '--cluster-token <token>',
      help: 'what that worker asks for (or RIDGEPOINT_CLUSTER_TOKEN)',
    },
  },
  promises: {
    ttftSlo: {
      kind: slo,
      flags: '--ttft-slo <ms>',
      help: 'promise the first token within so long; who cannot be served so is told (429)',
    },
    itlSlo: { kind: slo, flags: '--itl-slo <ms>', help: 'promise a mean gap between tokens of at most so much' },
    calibration: {
      kind: anyText,
      flags: '--calibration <file>',
      help: 'what steps cost; default the newest of this adapter and driver',
    },
  },
} as const satisfies Readonly<Record<string, CommandTable>>;

const options = (command: Command) => {
  const elsewhere = addTable(addTable(addHttpOptions(command), 'serve', SERVE.prompts), 'wire', WIRE);
  const promised = addTable(addTableOptions(elsewhere, ['kvReserve', 'pooling']), 'serve', SERVE.promises);
  return addModelOptions(addSchedulingOptions(promised));
};

export type ServeFlags = Flags<typeof options>;

export function declare(command: Command): void {
  options(
    command.description(
      'Serves a model to many clients at once through the HTTP API of OpenAI: completions and chats, whole or streamed, ' +
        'and embeddings, with /metrics for Prometheus. Logs go to standard output as lines of JSON; no prompt is in them.',
    ),
  )
    .addHelpText(
      'after',
      `
SIGTERM or Ctrl-C finishes what runs; a second one ends it.

Examples:
  ridgepoint serve
  ridgepoint serve --adapter swiftshader --prefill-adapter llvmpipe
  ridgepoint serve --adapter swiftshader --prefill-worker 127.0.0.1:7070
  ridgepoint serve --model TinyLlama/TinyLlama-1.1B-Chat-v1.0 --port 9000 --max-num-seqs 16
  RIDGEPOINT_API_KEY=secret ridgepoint serve --host 0.0.0.0
${EXIT_CODES}`,
    )
    .action((flags) => runToExit(async () => (await import('./run.js')).serve(flags)));
}
