import type { Command } from '@commander-js/extra-typings';
import { address } from '../../options/address.js';
import { addModelOptions } from '../../options/common.js';
import type { Flags } from '../../options/group.js';
import { EXIT_CODES } from '../../options/help.js';
import { addHttpOptions } from '../../options/http.js';
import { number, refuseFlag } from '../../options/parse.js';
import { addSchedulingOptions } from '../../options/scheduling.js';
import { tableOption } from '../../options/table-flags.js';
import { runToExit } from '../../run.js';

function slo(option: string): (text: string) => number {
  return (text) => {
    const value = number(option)(text);
    return value > 0 ? value : refuseFlag(option, 'a number of milliseconds above 0', text);
  };
}

const options = (command: Command) =>
  addModelOptions(
    addSchedulingOptions(
      addHttpOptions(command)
        .option('--prefill-adapter <name>', 'part of the name of another adapter, which computes prompts for --adapter')
        .option(
          '--prefill-worker <host:port>',
          'a "ridgepoint worker", which computes prompts',
          address('--prefill-worker'),
        )
        .option('--cluster-token <token>', 'what that worker asks for (or RIDGEPOINT_CLUSTER_TOKEN)')
        .addOption(tableOption('kvReserve'))
        .addOption(tableOption('pooling'))
        .option(
          '--ttft-slo <ms>',
          'promise the first token within so long; who cannot be served so is told (429)',
          slo('--ttft-slo'),
        )
        .option('--itl-slo <ms>', 'promise a mean gap between tokens of at most so much', slo('--itl-slo'))
        .option('--calibration <file>', 'what steps cost; default the newest of this adapter and driver'),
    ),
  );

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
