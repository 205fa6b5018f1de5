import type { Command } from '@commander-js/extra-typings';
import { EXIT_CODES } from '../../options/help.js';
import { runToExit } from '../../run.js';
import { addServeOptions } from './options.js';

/** Declares `bench serve`. */
export function declare(command: Command): void {
  addServeOptions(
    command.description(
      'Makes requests as users do, at times of their own, and measures TTFT, TPOT, ITL, E2E, throughput and goodput: of ' +
        'an engine in this process, one policy beside another, or of any OpenAI-compatible server.',
    ),
  )
    .addHelpText(
      'after',
      `
Examples:
  ridgepoint bench serve --request-rate 4 --num-prompts 200 --goodput ttft:500 tpot:50
  ridgepoint bench serve --policies prefill-first,chunked --trace synthetic:conversation --length-scale 0.1 --svg policies.svg
  ridgepoint bench serve --base-url http://127.0.0.1:8000 --endpoint chat --arrival closed --max-concurrency 8
  ridgepoint bench serve --stress --request-rate 16
  ridgepoint bench serve --scenario long-prompt --model tiny-4k --weights synthetic --policies prefill-first,chunked
${EXIT_CODES}`,
    )
    .action((flags) => runToExit(async () => (await import('./run.js')).benchServe(flags)));
}
