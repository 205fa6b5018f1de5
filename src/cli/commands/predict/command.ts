import type { Command } from '@commander-js/extra-typings';
import { fraction, number, positive, refuseFlag, whole } from '../../options/parse.js';
import { runToExit } from '../../run.js';
import { checkCostFlags } from './cost-flags.js';
import { addPredictOptions, addPredictOptionsWith, addSubjectOptions, optionList, split } from './options.js';

const HELP = `
Lists (--hardware, --prompt, --output, --batch, --weight-dtype) make a sweep: 128,512 or 1..64 for powers of two.

Examples:
  ridgepoint predict --hardware h100-sxm,a100-80 --prompt 128..4096
  ridgepoint predict --model llama-3.1-70b --tp 4 --batch 16 --weight-dtype int8 --compute-dtype int8
  ridgepoint predict sla --model llama-3.1-8b --prompt 4096 --ttft 200 --itl 50
  ridgepoint predict crossover --output 16,128,256
  ridgepoint predict crossover --batch groqrack a100-80 --prompt 1024
  ridgepoint predict chunk --model llama-3.1-70b --tp 4
  ridgepoint predict speculation --model llama-3.1-70b --tp 4 --draft llama-3.1-8b
  ridgepoint predict cost --per-token --hardware h100-sxm,l40s --usd-per-hour 2.5,0.9 --batch 16
  ridgepoint predict --hardware spad-prefill --against h100-sxm --grid --model bloom-176b --tp 8
  ridgepoint predict list
`;

const crossoverBatch = (command: Command) =>
  command.option(
    '--batch <n...>',
    'sequences at once (default: 1); or two of "predict list", of which one overtakes the other in tok/s',
    (text: string, before: string[] = []) => [...before, ...split(text)],
  );

/** Gives `ridgepoint predict` its options and the questions below it. */
export function declare(command: Command): void {
  addPredictOptions(
    command.description(
      'Predicts TTFT, TPOT, throughput and memory from the operations of the model and the hardware’s roofline.',
    ),
  )
    .option('--per-operation', 'one line for each operation of both phases')
    .option('--grid', 'a map over --batch and --prompt: latency of both phases over that of --against')
    .option('--against <id>', 'for --grid: the hardware whose latency is 1')
    .addHelpText('after', HELP)
    .action((flags) =>
      runToExit(async () => {
        if (flags.grid) return (await import('./grid.js')).gridCommand(flags);
        if (flags.against !== undefined) refuseFlag('--against', 'given together with --grid', flags.against);
        return (await import('./run.js')).predictCommand(flags);
      }),
    );
  const questions = () => import('./questions.js');
  const named = (name: string, summary: string): Command =>
    command
      .command(name)
      .summary(summary)
      .description(`${summary[0].toUpperCase()}${summary.slice(1)}.`);
  const question = (name: string, summary: string) => addPredictOptions(named(name, summary));

  question('sla', 'which hardware meets limits on TTFT and ITL')
    .optionsGroup('Limits:')
    .option('--ttft <ms>', 'longest TTFT (default: 200)', number('--ttft'))
    .option('--itl <ms>', 'longest gap between tokens (default: 50)', number('--itl'))
    .action((flags) => runToExit(async () => (await questions()).slaCommand(flags)));
  addPredictOptionsWith(crossoverBatch)(
    named(
      'crossover',
      'from which prompt on TTFT overtakes the decode of --output tokens, or from which batch on one platform another',
    ),
  )
    .optionsGroup('Range:')
    .option('--from <n>', 'shortest prompt (default: 1)', whole('--from', 1))
    .option(
      '--to <n>',
      'longest prompt (default: the longest of the model); largest batch (default: 512)',
      whole('--to', 1),
    )
    .action(({ batch: given, ...flags }) =>
      runToExit(async () => {
        const { overtakeCommand, readBatch } = await import('./overtake.js');
        const { batch, platforms } = readBatch(given);
        if (platforms !== undefined) return overtakeCommand(flags, platforms);
        return (await questions()).crossoverCommand({ ...flags, batch });
      }),
    );
  question('quantization', 'what narrower formats gain in each phase').action((flags) =>
    runToExit(async () => (await questions()).quantizationCommand(flags)),
  );
  question('sensitivity', 'how latency follows bandwidth and the number of cores').action((flags) =>
    runToExit(async () => (await questions()).sensitivityCommand(flags)),
  );
  question('batch', 'decode throughput against the batch, with bandwidth line, compute ceiling and knee').action(
    (flags) => runToExit(async () => (await questions()).batchCommand(flags)),
  );
  question('chunk', 'gaps between tokens against the chunks in which prompts are processed')
    .optionsGroup('Steps:')
    .option('--chunk <n>', 'prompt tokens a step (default: 0,128..4096)', optionList('--chunk', whole('--chunk', 0)))
    .option(
      '--decoding <n>',
      'sequences that decode meanwhile (default: 128, or as many as fit)',
      whole('--decoding', 0),
    )
    .option('--context <n>', 'tokens that each of them has (default: as --prompt)', whole('--context', 0))
    .action((flags) => runToExit(async () => (await import('./chunk.js')).chunkCommand(flags)));
  question('speculation', 'when a draft pays')
    .optionsGroup('Guesses:')
    .option('--draft <model>', 'what guesses: a model, or lookup, which costs nothing (default: lookup)')
    .option(
      '--draft-tokens <n>',
      'guesses a round (default: 1,2,4,8)',
      optionList('--draft-tokens', whole('--draft-tokens', 1)),
    )
    .option('--acceptance <share>', 'share of guesses that are right (default: 0.7)', fraction('--acceptance'))
    .action((flags) => runToExit(async () => (await import('./speculation.js')).speculationCommand(flags)));
  addSubjectOptions(command.command('cost'))
    .summary('cost of tokens; cost and power of a chip or cluster, by SPAD’s formulas')
    .description(
      'Says what a chip costs and draws by SPAD’s formulas, and a cluster from its machine counts; with --per-token, what ' +
        'tokens cost by phase: price and watts of the predicted time, both phases on one platform and on two.',
    )
    .optionsGroup('Tokens:')
    .option('--per-token', 'dollars a million tokens and joules a token, for every pair of --hardware')
    .option(
      '--usd-per-hour <usd>',
      'dollars an hour of a chip, one for each of --hardware (default: of the catalogue, where known)',
      optionList('--usd-per-hour', positive('--usd-per-hour', 'dollars an hour')),
    )
    .option(
      '--watts <w>',
      'watts of a chip at work, likewise (default: of the catalogue, else the TDP)',
      optionList('--watts', positive('--watts', 'watts')),
    )
    .option('--network <gbit/s>', 'between the platforms (default: 400)', positive('--network', 'gigabits a second'))
    .optionsGroup('Chip or cluster:')
    .option('--chip <name>', 'prefill, decode or h100 (default: h100); the options below change it')
    .option('--die <mm2>', 'die area', number('--die'))
    .option('--memory <gb>', 'memory', number('--memory'))
    .option('--memory-type <type>', 'gddr7 or hbm3')
    .option('--bandwidth <gb/s>', 'memory bandwidth', number('--bandwidth'))
    .option('--packages <n>', 'HBM packages (default: one for each 16 GB)', number('--packages'))
    .option('--price <usd>', 'dollars a GB of memory', number('--price'))
    .option('--cluster <counts>', 'machines of eight chips, such as prefill=18,decode=7')
    .optionsGroup('Output:')
    .option('--json', 'print JSON')
    .option('--csv', 'with --per-token: print comma-separated values')
    .action((flags) =>
      runToExit(async () => {
        checkCostFlags(flags);
        if (flags.perToken) return (await import('./token-cost.js')).tokenCostCommand(flags);
        return (await import('./predict-cost.js')).predictCost(flags);
      }),
    );
  command
    .command('list')
    .summary('list the hardware catalogue')
    .description('Lists the hardware catalogue, and this machine once it was calibrated.')
    .option('--json', 'print JSON, with sources')
    .option('--csv', 'print comma-separated values, with sources')
    .action((flags) => runToExit(async () => (await import('./list.js')).listCommand(flags)));
}
