import type { Command } from '@commander-js/extra-typings';
import { addTable } from '../../options/command-table.js';
import { runToExit } from '../../run.js';
import { checkCostFlags } from './cost-flags.js';
import { PREDICT } from './flags.js';
import { addCrossoverOptions, addPredictOptions, addSubjectOptions, refusePredict } from './options.js';

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

/** Gives `ridgepoint predict` its options and the questions below it. */
export function declare(command: Command): void {
  const asked = addPredictOptions(
    command.description(
      'Predicts TTFT, TPOT, throughput and memory from the operations of the model and the hardware’s roofline.',
    ),
  );
  addTable(asked, 'predict', PREDICT.map)
    .addHelpText('after', HELP)
    .action((flags) =>
      runToExit(async () => {
        if (flags.grid) return (await import('./grid.js')).gridCommand(flags);
        if (flags.against !== undefined) refusePredict('predict.against', 'must be given together with --grid');
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

  addTable(
    question('sla', 'which hardware meets limits on TTFT and ITL').optionsGroup('Limits:'),
    'predict',
    PREDICT.limits,
  ).action((flags) => runToExit(async () => (await questions()).slaCommand(flags)));
  const crossover = addCrossoverOptions(
    named(
      'crossover',
      'from which prompt on TTFT overtakes the decode of --output tokens, or from which batch on one platform another',
    ),
  );
  addTable(crossover.optionsGroup('Range:'), 'predict', PREDICT.range).action(({ batch: given, ...flags }) =>
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
  addTable(
    question('chunk', 'gaps between tokens against the chunks in which prompts are processed').optionsGroup('Steps:'),
    'predict',
    PREDICT.steps,
  ).action((flags) => runToExit(async () => (await import('./chunk.js')).chunkCommand(flags)));
  addTable(question('speculation', 'when a draft pays').optionsGroup('Guesses:'), 'predict', PREDICT.guesses).action(
    (flags) => runToExit(async () => (await import('./speculation.js')).speculationCommand(flags)),
  );
  declareCost(command.command('cost'));
  addTable(
    command
      .command('list')
      .summary('list the hardware catalogue')
      .description('Lists the hardware catalogue, and this machine once it was calibrated.'),
    'predict',
    PREDICT.listOutput,
  ).action((flags) => runToExit(async () => (await import('./list.js')).listCommand(flags)));
}

function declareCost(command: Command): void {
  const asked = addSubjectOptions(command)
    .summary('cost of tokens; cost and power of a chip or cluster, by SPAD’s formulas')
    .description(
      'Says what a chip costs and draws by SPAD’s formulas, and a cluster from its machine counts; with --per-token, what ' +
        'tokens cost by phase: price and watts of the predicted time, both phases on one platform and on two.',
    );
  const ofTokens = addTable(asked.optionsGroup('Tokens:'), 'predict', PREDICT.tokens);
  const ofChips = addTable(ofTokens.optionsGroup('Chip or cluster:'), 'predict', PREDICT.chip);
  addTable(ofChips.optionsGroup('Output:'), 'predict', PREDICT.costOutput).action((flags) =>
    runToExit(async () => {
      checkCostFlags(flags);
      if (flags.perToken) return (await import('./token-cost.js')).tokenCostCommand(flags);
      return (await import('./predict-cost.js')).predictCost(flags);
    }),
  );
}
