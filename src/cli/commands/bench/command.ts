import type { Command } from '@commander-js/extra-typings';
import { FULL, QUICK } from '../../../../bench/defaults.js';
import type { BenchOptions } from '../../../../bench/schema.js';
import { refuseOption } from '../../../engine/options/check.js';
import { addTable } from '../../options/command-table.js';
import { addModelOptions } from '../../options/common.js';
import type { Flags } from '../../options/group.js';
import { EXIT_CODES } from '../../options/help.js';
import { runToExit } from '../../run.js';
import { declare as declareDisaggregate } from '../bench-disaggregate/command.js';
import { declare as declareKernels } from '../bench-kernels/command.js';
import { declare as declareServe } from '../bench-serve/command.js';
import { BENCH } from './flags.js';

const MOST_BATCH = 32;

/** What is measured, from the flags and the defaults. @throws RidgepointError naming the option */
export function benchOptions(flags: BenchFlags): BenchOptions {
  const defaults = flags.quick ? QUICK : FULL;
  const batches = flags.batches ?? defaults.batches;
  if (Math.max(...batches) > MOST_BATCH || Math.min(...batches) < 1) {
    refuseOption('bench.batches', `must be from 1 to ${MOST_BATCH}, found ${batches.join(',')}`);
  }
  const prompts = flags.prompts ?? defaults.prompts;
  if (Math.min(...prompts) < 1) refuseOption('bench.prompts', 'must be of at least one token, found 0');
  const budget = flags.budget ?? defaults.budget_s;
  return {
    prompts: [...prompts],
    contexts: [...(flags.contexts ?? defaults.contexts)],
    batches: [...batches],
    gen: flags.gen ?? defaults.gen,
    repetitions: flags.repetitions ?? defaults.repetitions,
    warmup: flags.warmup ?? defaults.warmup,
    ...(budget === undefined ? {} : { budget_s: budget }),
    grid: defaults.grid,
    parts: [...(flags.only ?? defaults.parts)],
    prompt: flags.tokenize === false ? 'ids' : 'text',
  };
}

const options = (command: Command) => addModelOptions(addTable(command, 'bench', BENCH));

export type BenchFlags = Flags<typeof options>;

export function declare(command: Command): void {
  options(
    command.description(
      'Measures prefill and decode apart: TTFT over prompt lengths, TPOT over context lengths and batches, rows as of ' +
        'llama-bench, and GPU time by operation. Tables go to standard output; the result is kept for "compare".',
    ),
  )
    .addHelpText(
      'after',
      `
Examples:
  ridgepoint bench --quick
  ridgepoint bench --model llama-2-7b --weights synthetic --batches 1,8,32 --output llama.json
  ridgepoint bench --only llama-bench --prompts 512 --gen 128
  ridgepoint bench --quick --browser
${EXIT_CODES}`,
    )
    .action((flags) =>
      runToExit(async () =>
        flags.browser === undefined
          ? (await import('./run.js')).bench(flags)
          : (await import('./browser-run.js')).benchBrowser(flags),
      ),
    );
  // What stands behind a command below belongs to it, although "bench" has options of the same names.
  command.enablePositionalOptions();
  declareServe(command.command('serve').summary('measure under load: many requests, arriving over time'));
  declareDisaggregate(
    command.command('disaggregate').summary('prompts computed by another adapter: what it is worth, over which links'),
  );
  declareKernels(command.command('kernels').summary('time every kernel variant against the ceiling that binds it'));
}
