import type { Command } from 'commander';
import { nonEmpty, whole } from '../parse.js';
import { runToExit } from '../run.js';
import { addLoadOptions, addOutputOptions, addSloOptions, type SimulateFlags } from './options.js';

/** Gives `ridgepoint simulate` its questions. */
export function addSimulate(command: Command, exitCodes: string): void {
  const question = (name: string, summary: string): Command =>
    command
      .command(name)
      .summary(summary)
      .description(`${summary[0].toUpperCase()}${summary.slice(1)}.`);

  const run = question('run', 'a cluster under a load: latencies, throughput, what the machines did')
    .argument('[cluster]', 'a JSON file; --schema prints its format')
    .option('--schema', 'print the format of the cluster file as a JSON Schema');
  addOutputOptions(addSloOptions(addLoadOptions(run)))
    .option(
      '--output <file>',
      'write the result as "bench serve" writes its own',
      nonEmpty('--output', 'the path of a file'),
    )
    .option(
      '--trace-window <what>',
      'write steps and transfers as a Chrome trace, such as "10s..12s out.json"',
      nonEmpty('--trace-window', 'a time and a file'),
    )
    .action((cluster: string | undefined, flags: SimulateFlags) =>
      runToExit(async () => (await import('./run.js')).runCommand(cluster, flags)),
    );

  const capacity = question('capacity', 'the highest rate at which a cluster meets an SLO').argument(
    '<cluster>',
    'a JSON file',
  );
  addOutputOptions(addSloOptions(addLoadOptions(capacity))).action((cluster: string, flags: SimulateFlags) =>
    runToExit(async () => (await import('./questions.js')).capacityCommand(cluster, flags)),
  );

  const provision = question('provision', 'the fewest machines of one pool, or of two, that meet an SLO').argument(
    '<cluster>',
    'a JSON file, whose counts do not matter',
  );
  addOutputOptions(addSloOptions(addLoadOptions(provision)))
    .option('--most <n>', 'machines of a pool at most (default: 40)', whole('--most', 1))
    .action((cluster: string, flags: SimulateFlags & { most?: number }) =>
      runToExit(async () => (await import('./questions.js')).provisionCommand(cluster, flags)),
    );

  const replay = question(
    'replay',
    'a result of "bench serve" again on the predicted clock, measured beside simulated',
  ).argument('<result>', 'a file that "bench serve --output" wrote');
  addOutputOptions(replay)
    .option(
      '--calibration <file>',
      'a calibration instead of the one kept of this machine',
      nonEmpty('--calibration', 'the path of a file'),
    )
    .option('--adapter <name>', 'which calibration, where there are several', nonEmpty('--adapter', 'part of its name'))
    .action((result: string, flags: SimulateFlags & { calibration?: string; adapter?: string }) =>
      runToExit(async () => (await import('./replay.js')).replayCommand(result, flags)),
    );

  const replicate = question('replicate', 'published runs again, beside ours').argument(
    '[name]',
    'one of them; without, all whose data is there',
  );
  addOutputOptions(replicate)
    .option('--data <folder>', 'where the published data lies (default: .)', nonEmpty('--data', 'the path of a folder'))
    .action((name: string | undefined, flags: SimulateFlags & { data?: string }) =>
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
  ridgepoint simulate replay serve.json
  ridgepoint simulate replicate --data published
${exitCodes}`,
  );
}
