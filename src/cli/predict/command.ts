import type { Command } from 'commander';
import { number, whole } from '../parse.js';
import { runToExit } from '../run.js';
import { addPredictOptions } from './options.js';

const HELP = `
Lists (--hardware, --prompt, --output, --batch, --weight-dtype) make a sweep: 128,512 or 1..64 for powers of two.

Examples:
  ridgepoint predict --hardware h100-sxm,a100-80 --prompt 128..4096
  ridgepoint predict --model llama-3.1-70b --tp 4 --batch 16 --weight-dtype int8 --compute-dtype int8
  ridgepoint predict sla --model llama-3.1-8b --prompt 4096 --ttft 200 --itl 50
  ridgepoint predict crossover --output 16,128,256
  ridgepoint predict list
`;

/** Gives `ridgepoint predict` its options and the questions below it. */
export function addPredict(command: Command): void {
  addPredictOptions(command)
    .option('--per-operation', 'one line for each operation of both phases')
    .addHelpText('after', HELP)
    .action((flags: object) => runToExit(async () => (await import('./predict.js')).predictCommand(flags)));
  const questions = () => import('./questions.js');
  const question = (name: string, summary: string): Command =>
    addPredictOptions(
      command
        .command(name)
        .summary(summary)
        .description(`${summary[0].toUpperCase()}${summary.slice(1)}.`),
    );

  question('sla', 'which hardware meets limits on TTFT and ITL')
    .optionsGroup('Limits:')
    .option('--ttft <ms>', 'longest TTFT (default: 200)', number('--ttft'))
    .option('--itl <ms>', 'longest gap between tokens (default: 50)', number('--itl'))
    .action((flags: object) => runToExit(async () => (await questions()).slaCommand(flags)));
  question('crossover', 'from which prompt on TTFT overtakes the decode of --output tokens')
    .optionsGroup('Range:')
    .option('--from <n>', 'shortest prompt (default: 1)', whole('--from', 1))
    .option('--to <n>', 'longest prompt (default: the longest of the model)', whole('--to', 1))
    .action((flags: object) => runToExit(async () => (await questions()).crossoverCommand(flags)));
  question('quantization', 'what narrower formats gain in each phase').action((flags: object) =>
    runToExit(async () => (await questions()).quantizationCommand(flags)),
  );
  question('sensitivity', 'how latency follows bandwidth and the number of cores').action((flags: object) =>
    runToExit(async () => (await questions()).sensitivityCommand(flags)),
  );
  question('batch', 'decode throughput against the batch, with bandwidth line, compute ceiling and knee').action(
    (flags: object) => runToExit(async () => (await questions()).batchCommand(flags)),
  );
  command
    .command('cost')
    .summary('cost and power of a chip or cluster, by SPAD’s formulas')
    .description('Says what a chip costs and draws by SPAD’s formulas, and a cluster from its machine counts.')
    .option('--chip <name>', 'prefill, decode or h100 (default: h100); the options below change it')
    .option('--die <mm2>', 'die area', number('--die'))
    .option('--memory <gb>', 'memory', number('--memory'))
    .option('--memory-type <type>', 'gddr7 or hbm3')
    .option('--bandwidth <gb/s>', 'memory bandwidth', number('--bandwidth'))
    .option('--packages <n>', 'HBM packages (default: one for each 16 GB)', number('--packages'))
    .option('--price <usd>', 'dollars a GB of memory', number('--price'))
    .option('--cluster <counts>', 'machines of eight chips, such as prefill=18,decode=7')
    .option('--json', 'print JSON')
    .action((flags: object) => runToExit(async () => (await import('../predict-cost.js')).predictCost(flags)));
  command
    .command('list')
    .summary('list the hardware catalogue')
    .description('Lists the hardware catalogue, and this machine once it was calibrated.')
    .option('--json', 'print JSON, with sources')
    .option('--csv', 'print comma-separated values, with sources')
    .action((flags: object) => runToExit(async () => (await import('./list.js')).listCommand(flags)));
}
