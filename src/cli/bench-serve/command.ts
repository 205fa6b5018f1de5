import type { Command } from 'commander';
import { runToExit } from '../run.js';
import { addServeOptions } from './options.js';

/** Adds `serve` below `bench`. */
export function addBenchServe(bench: Command, exitCodes: string): void {
  // What stands behind "serve" belongs to it, although "bench" has options of the same names.
  bench.enablePositionalOptions();
  const command = bench
    .command('serve')
    .summary('measure under load: many requests, arriving over time')
    .description(
      'Makes requests as users do, at times of their own, and measures TTFT, TPOT, ITL, E2E, throughput and goodput: of ' +
        'an engine in this process, one policy beside another, or of any OpenAI-compatible server.',
    )
    .action((flags: object) => runToExit(async () => (await import('./bench-serve.js')).benchServe(flags)));
  addServeOptions(command).addHelpText(
    'after',
    `
Examples:
  ridgepoint bench serve --request-rate 4 --num-prompts 200 --goodput ttft:500 tpot:50
  ridgepoint bench serve --policies prefill-first,chunked --trace synthetic:conversation --length-scale 0.1 --svg policies.svg
  ridgepoint bench serve --base-url http://127.0.0.1:8000 --endpoint chat --arrival closed --max-concurrency 8
  ridgepoint bench serve --stress --request-rate 16
  ridgepoint bench serve --scenario long-prompt --model tiny-4k --weights synthetic --policies prefill-first,chunked
${exitCodes}`,
  );
}
