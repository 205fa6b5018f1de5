import type { Command } from 'commander';
import type { ImportFlags } from './ledger.js';
import { nonEmpty, whole } from './parse.js';
import { runToExit } from './run.js';

/** Gives `ridgepoint ledger` its options. */
export function addLedger(command: Command): void {
  command
    .summary('public measurements beside our predictions')
    .description(
      'Sets public measurements beside our predictions: mean error, bias, and how many lie in our intervals.',
    )
    .option('--rows <file>', 'more rows, as "ridgepoint import" prints them', nonEmpty('--rows', 'the path of a file'))
    .option('--device <id>', 'only rows of this hardware')
    .option('--each', 'one line for each measurement')
    .option('--markdown', 'print the table of docs/predictor.md')
    .option('--json', 'print JSON')
    .option('--csv', 'print comma-separated values')
    .action((flags: object) => runToExit(async () => (await import('./ledger.js')).ledgerCommand(flags)));
}

/** Gives `ridgepoint import` its options. */
export function addImport(command: Command): void {
  command
    .summary('make ledger rows of a benchmark’s result')
    .description(
      'Reads a result of llama-bench, vllm bench serve, SGLang’s bench_serving or AIPerf; prints ledger rows.',
    )
    .argument('<file>', 'the result: JSON, or a line of JSON each')
    .requiredOption('--device <id>', 'hardware it ran on, as in "predict list"')
    .requiredOption('--engine <name>', 'engine, as predict’s --engine takes it')
    .requiredOption('--model <name>', 'model, as predict’s --model takes it')
    .option('--engine-version <text>', 'version of the engine')
    .option('--weights <format>', 'how weights were stored (default: f16)')
    .option('--tp <n>', 'chips that shared the model (default: 1)', whole('--tp', 1))
    .action((file: string, flags: ImportFlags) =>
      runToExit(async () => (await import('./ledger.js')).importCommand(file, flags)),
    );
}
