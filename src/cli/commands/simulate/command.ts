import type { Command } from '@commander-js/extra-typings';
import { EXIT_CODES } from '../../options/help.js';
import { addTable } from '../../options/command-table.js';
import { runToExit } from '../../run.js';
import { SIMULATE } from './flags.js';
import { addLoadOptions, addOutputOptions, addRunOptions } from './options.js';

/** Gives `ridgepoint simulate` its questions. */
export function declare(command: Command): void {
  command.description(
    "Lets the engine's own scheduler serve requests on the predicted clock: of one machine or of many, prompts and " +
      'decoding together or apart.',
  );
  const question = (name: string, summary: string): Command =>
    command
      .command(name)
      .summary(summary)
      .description(`${summary[0].toUpperCase()}${summary.slice(1)}.`);

  const run = addTable(
    question('run', 'a cluster under a load: latencies, throughput, what the machines did').argument(
      '[cluster]',
      'a JSON file; --schema prints its format',
    ),
    'simulate',
    SIMULATE.runSchema,
  );
  const priced = addTable(addLoadOptions(run), 'simulate', SIMULATE.price);
  addTable(addRunOptions(priced), 'simulate', SIMULATE.run).action((cluster, flags) =>
    runToExit(async () => (await import('./run.js')).runCommand(cluster, flags)),
  );

  const capacity = question('capacity', 'the highest rate at which a cluster meets an SLO').argument(
    '<cluster>',
    'a JSON file',
  );
  addRunOptions(addLoadOptions(capacity)).action((cluster, flags) =>
    runToExit(async () => (await import('./capacity.js')).capacityCommand(cluster, flags)),
  );

  const provision = question('provision', 'the fewest machines of one pool, or of two, that meet an SLO').argument(
    '[cluster]',
    'a JSON file, whose counts do not matter; or --pools',
  );
  const planned = addTable(addLoadOptions(provision), 'simulate', SIMULATE.price);
  addTable(addRunOptions(planned), 'simulate', SIMULATE.provision).action((cluster, flags) =>
    runToExit(async () => (await import('./provision.js')).provisionCommand(cluster, flags)),
  );

  const gain = question('gain', 'where it pays to split the phases between two platforms, a request alone');
  addTable(addOutputOptions(gain), 'simulate', SIMULATE.gain).action((flags) =>
    runToExit(async () => (await import('./gain.js')).gainCommand(flags)),
  );

  const sweep = question('sweep', 'every combination of the values of a study, on several threads').argument(
    '[study]',
    'a JSON file in which any value may be a list; --schema prints its format',
  );
  addTable(addRunOptions(sweep), 'simulate', SIMULATE.sweep).action((study, flags) =>
    runToExit(async () => (await import('./sweep.js')).sweepCommand(study, flags)),
  );

  const replay = question(
    'replay',
    'a result of "bench serve" again on the predicted clock, measured beside simulated',
  ).argument('<result>', 'a file that "bench serve --output" wrote');
  addTable(addRunOptions(replay), 'simulate', SIMULATE.replay).action((result, flags) =>
    runToExit(async () => (await import('./replay.js')).replayCommand(result, flags)),
  );

  const replicate = question('replicate', 'published runs again, beside ours').argument(
    '[name]',
    'one of them; without, all whose data is there',
  );
  addTable(addOutputOptions(replicate), 'simulate', SIMULATE.replicate).action((name, flags) =>
    runToExit(async () => (await import('./replicate.js')).replicateCommand(name, flags)),
  );

  command.addHelpText(
    'after',
    `
Examples:
  ridgepoint simulate run cluster.json --trace azure:conv.csv --rate 70 --duration 120 --seeds 3
  ridgepoint simulate run cluster.json --rate 4 --input-len 512 --output-len 128 --slo ttft:p90:500,tbt:p99:50
  ridgepoint simulate capacity cluster.json --trace synthetic:conversation --slo spad:normal
  ridgepoint simulate provision cluster.json --trace synthetic:code --rate 70 --slo spad:normal
  ridgepoint simulate provision --pools both=2xh100-sxm --model llama-3.1-70b --rate 5 --slo ttft:p90:800,tbt:p90:40
  ridgepoint simulate gain --prefill a100-80 --decode groqrack --model llama-2-7b --network 1..800Gbps
  ridgepoint simulate sweep study.json
  ridgepoint simulate replay serve.json
  ridgepoint simulate replicate --data published
${EXIT_CODES}`,
  );
}
