import type { Command } from '@commander-js/extra-typings';
import type { Flags } from '../../options/group.js';
import { whole } from '../../options/parse.js';
import { runToExit } from '../../run.js';

const options = (command: Command) =>
  command
    .argument('<file>', 'the result: JSON, or a line of JSON each')
    .requiredOption('--device <id>', 'hardware it ran on, as in "predict list"')
    .requiredOption('--engine <name>', 'engine, as predict’s --engine takes it')
    .requiredOption('--model <name>', 'model, as predict’s --model takes it')
    .option('--engine-version <text>', 'version of the engine')
    .option('--weights <format>', 'how weights were stored (default: f16)')
    .option('--tp <n>', 'chips that shared the model (default: 1)', whole('--tp', 1));

export type ImportFlags = Flags<typeof options>;

export function declare(command: Command): void {
  options(
    command.description(
      'Reads a result of llama-bench, vllm bench serve, SGLang’s bench_serving or AIPerf; prints ledger rows.',
    ),
  ).action((file, flags) => runToExit(async () => (await import('./run.js')).importCommand(file, flags)));
}
