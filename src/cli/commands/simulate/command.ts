import type { Command } from '@commander-js/extra-typings';
import { EXIT_CODES } from '../../options/help.js';
import { nonEmpty, whole, wholes, number } from '../../options/parse.js';
import { runToExit } from '../../run.js';
import { parseNetwork } from './network.js';
import { addLoadOptions, addOutputOptions, addPriceOption, addSloOptions, addTraceWindowOption } from './options.js';

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

  const run = question('run', 'a cluster under a load: latencies, throughput, what the machines did')
    .argument('[cluster]', 'a JSON file; --schema prints its format')
    .option('--schema', 'print the format of the cluster file as a JSON Schema');
  addTraceWindowOption(addOutputOptions(addPriceOption(addSloOptions(addLoadOptions(run)))))
    .option(
      '--output <file>',
      'write the result as "bench serve" writes its own',
      nonEmpty('--output', 'the path of a file'),
    )
    .action((cluster, flags) => runToExit(async () => (await import('./run.js')).runCommand(cluster, flags)));

  const capacity = question('capacity', 'the highest rate at which a cluster meets an SLO').argument(
    '<cluster>',
    'a JSON file',
  );
  addTraceWindowOption(addOutputOptions(addSloOptions(addLoadOptions(capacity)))).action((cluster, flags) =>
    runToExit(async () => (await import('./questions.js')).capacityCommand(cluster, flags)),
  );

  const provision = question('provision', 'the fewest machines of one pool, or of two, that meet an SLO').argument(
    '<cluster>',
    'a JSON file, whose counts do not matter',
  );
  addTraceWindowOption(addOutputOptions(addPriceOption(addSloOptions(addLoadOptions(provision)))))
    .option('--most <n>', 'machines of a pool at most (default: 40)', whole('--most', 1))
    .action((cluster, flags) =>
      runToExit(async () => (await import('./questions.js')).provisionCommand(cluster, flags)),
    );

  const gain = question('gain', 'where it pays to split the phases between two platforms, a request alone');
  addOutputOptions(gain)
    .requiredOption(
      '--prefill <chip>',
      'where prompts are processed, such as a100-80 or 2xh100-sxm',
      nonEmpty('--prefill', 'a chip'),
    )
    .requiredOption('--decode <chip>', 'where decoding happens', nonEmpty('--decode', 'a chip'))
    .requiredOption('--model <name>', 'a model of "predict list", or a folder', nonEmpty('--model', 'a model'))
    .option('--weights <format>', 'format of the weights (default: f16)', nonEmpty('--weights', 'a format'))
    .option('--network <rates>', '1..800Gbps or 8,100,400 (default: 1,8,25,100,400,800)', parseNetwork)
    .option('--latency <ms>', 'of the network (default: 0)', number('--latency'))
    .option('--prompt-len <list>', 'tokens of prompts', wholes('--prompt-len', 1))
    .option('--answer-len <list>', 'tokens of answers', wholes('--answer-len', 1))
    .action((flags) => runToExit(async () => (await import('./gain.js')).gainCommand(flags)));

  const sweep = question('sweep', 'every combination of the values of a study, on several threads').argument(
    '[study]',
    'a JSON file in which any value may be a list; --schema prints its format',
  );
  addOutputOptions(sweep)
    .option('--schema', 'print the format of a study as a JSON Schema')
    .option(
      '--output <file>',
      'results, which a sweep goes on from (default: beside the study)',
      nonEmpty('--output', 'the path of a file'),
    )
    .option('--threads <n>', 'threads (default: one a core)', whole('--threads', 1))
    .action((study, flags) => runToExit(async () => (await import('./sweep.js')).sweepCommand(study, flags)));

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
    .option(
      '--fit <policy>',
      'whose recorded step times say what steps cost (default: the first that has some), or none: the calibration does',
      nonEmpty('--fit', 'a policy, or none'),
    )
    .action((result, flags) => runToExit(async () => (await import('./replay.js')).replayCommand(result, flags)));

  const replicate = question('replicate', 'published runs again, beside ours').argument(
    '[name]',
    'one of them; without, all whose data is there',
  );
  addOutputOptions(replicate)
    .option('--data <folder>', 'where the published data lies (default: .)', nonEmpty('--data', 'the path of a folder'))
    .option('--short', 'leave out what searches for minutes')
    .action((name, flags) => runToExit(async () => (await import('./replicate.js')).replicateCommand(name, flags)));

  command.addHelpText(
    'after',
    `
Examples:
  ridgepoint simulate run cluster.json --trace azure:conv.csv --rate 70 --duration 120 --seeds 3
  ridgepoint simulate run cluster.json --rate 4 --input-len 512 --output-len 128 --slo ttft:p90:500,tbt:p99:50
  ridgepoint simulate capacity cluster.json --trace synthetic:conversation --slo spad:normal
  ridgepoint simulate provision cluster.json --trace synthetic:code --rate 70 --slo spad:normal
  ridgepoint simulate gain --prefill a100-80 --decode groqrack --model llama-2-7b --network 1..800Gbps
  ridgepoint simulate sweep study.json
  ridgepoint simulate replay serve.json
  ridgepoint simulate replicate --data published
${EXIT_CODES}`,
  );
}
