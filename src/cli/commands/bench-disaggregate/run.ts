import { gainFigure } from '../../../../bench/disaggregate/figure.js';
import { judge } from '../../../../bench/disaggregate/judge.js';
import { measureDisaggregate, type Measured } from '../../../../bench/disaggregate/measure.js';
import type { DisaggregateOptions } from '../../../../bench/disaggregate/plan.js';
import {
  DISAGGREGATE_VERSION,
  disaggregateSchema,
  type DisaggregateResult,
} from '../../../../bench/disaggregate/schema.js';
import { Stages } from '../../../../bench/disaggregate/stages.js';
import { disaggregateTables } from '../../../../bench/disaggregate/tables.js';
import { hostOf, recordContext } from '../../../../bench/environment.js';
import { PaceLog } from '../../../../bench/pace/log.js';
import { draw } from '../../../../bench/report/render.js';
import type { RecordContext } from '../../../../bench/schema.js';
import { writeWhole } from '../../../../bench/store.js';
import { refuseOption } from '../../../engine/options/check.js';
import { RidgepointError } from '../../../errors.js';
import { nodeHost } from '../../../platform/node/host.js';
import { checkWritable } from '../../../platform/node/whole-file.js';
import { option, words } from '../../../wording.js';
import { loadEngine } from '../../load.js';
import { withDefaults } from '../../options/command-table.js';
import { engineOptions } from '../../options/common.js';
import { closeAtExit, EXIT, stopSignal } from '../../run.js';
import { print, status } from '../../terminal/output.js';
import { isRewritable, remark } from '../../terminal/style.js';
import type { BenchDisaggregateFlags } from './command.js';
import { BENCH_DISAGGREGATE } from './flags.js';

const NETWORKS = [0, 1000, 100, 20];
const DELAYS = [0, 5];

/**
 * Measures pairs of adapters over shaped links beside what is predicted of them.
 *
 * @returns the exit code
 * @throws RidgepointError where options do not go together, or a model cannot be loaded
 */
export async function benchDisaggregate(given: BenchDisaggregateFlags): Promise<number> {
  const flags = withDefaults(BENCH_DISAGGREGATE.what, given);
  const { pair: pairs, prompts, outputs, repetitions, warmup, chunk } = flags;
  const { statistic } = withDefaults(BENCH_DISAGGREGATE.result, given);
  for (const [name, asked] of [['adapter', flags.adapter] as const, ['prefillChunk', flags.prefillChunk] as const]) {
    const instead = option(name === 'adapter' ? 'benchDisaggregate.pair' : 'benchDisaggregate.chunk');
    if (asked !== undefined) throw new RidgepointError('usage', words`${option(name)} is said by ${instead} here`);
  }
  for (const path of [flags.output, flags.svg]) if (path !== undefined) await checkWritable(path);
  const networks = (flags.network ?? NETWORKS).map((mbit) => (mbit === 0 ? undefined : mbit));
  const delays = flags.delay ?? DELAYS;
  const options: DisaggregateOptions = { pairs, prompts, outputs, networks, delays, repetitions, warmup };
  const quiet = flags.quiet === true;
  const stages = await loadStages(flags, options, chunk);
  const engines = [...stages.prefills.values(), ...stages.decodes.values()].map(({ engine }) => engine);
  const { contextLength } = engines[0].info;
  const longest = Math.max(...prompts) + Math.max(...outputs);
  if (longest > contextLength) {
    refuseOption('benchDisaggregate.prompts', `with outputs make ${longest} tokens, and ${contextLength} fit`);
  }
  const contexts: RecordContext[] = [];
  for (const engine of engines) contexts.push(await recordContext(engine.info));
  const distinct = contexts.filter(
    ({ adapter, driver }, at) =>
      contexts.findIndex((each) => each.adapter === adapter && each.driver === driver) === at,
  );
  const pace = await PaceLog.open(nodeHost, pairs[0].decode);
  closeAtExit(() => pace.close());
  const resultOf = (measured: Measured, complete: boolean): DisaggregateResult =>
    disaggregateSchema.parse({
      ...{ version: DISAGGREGATE_VERSION, kind: 'disaggregate', complete, date: new Date().toISOString() },
      ...{ host: hostOf(), contexts: distinct },
      options: {
        ...{ pairs, prompts: [...prompts], outputs: [...outputs], delays_ms: [...delays], repetitions, warmup },
        ...{ networks_mbit: networks.map((mbit) => mbit ?? null), prefill_chunk: chunk },
      },
      pace: pace.record() ?? { kernel: pace.kernels.compute, samples_ms: [] },
      ...measured,
    });
  const save = async (measured: Measured, complete: boolean): Promise<DisaggregateResult> => {
    const result = resultOf(measured, complete);
    if (flags.output !== undefined) await writeWhole(flags.output, textOf(result));
    return result;
  };
  const tell = !quiet && isRewritable(process.stderr);
  const measured = await measureDisaggregate(stages, options, chunk, {
    onPoint: (round, at, of) => {
      if (tell) status(`round ${round + 1} of ${warmup + repetitions}, ${at + 1} of ${of}`);
    },
    pace: async () => (await pace.take()).compute,
    onRound: async (sofar) => void (await save(sofar, false)),
    signal: stopSignal,
  });
  if (tell) status();
  const result = await save(measured, !stopSignal.aborted);
  const cells = judge(result, statistic);
  const figure = gainFigure(cells);
  if (flags.svg !== undefined && figure !== undefined) await writeWhole(flags.svg, await draw(figure));
  print(flags.format === 'json' ? textOf(result) : disaggregateTables(result, cells, statistic));
  if (!result.complete) remark('stopped before all rounds were measured');
  await stages.close();
  return cells.length > 0 ? EXIT.ok : EXIT.failure;
}

const textOf = (result: DisaggregateResult): string => `${JSON.stringify(result, null, 1)}\n`;

async function loadStages(
  flags: BenchDisaggregateFlags,
  { pairs, prompts, outputs }: DisaggregateOptions,
  chunk: number,
): Promise<Stages> {
  const longest = Math.max(...prompts) + Math.max(...outputs);
  const stages = await Stages.load(pairs, (adapter, isPrefill, onStep) =>
    loadEngine(
      {
        ...engineOptions(flags),
        // A few prompts at a time: what a prompt leaves in the cache is of no use to the next.
        ...{ adapter, onStep, kvCacheTokens: 16 * Math.ceil((3 * longest) / 16) },
        ...(isPrefill ? { prefillChunk: chunk } : {}),
      },
      flags.quiet !== true,
    ),
  );
  closeAtExit(() => stages.close());
  return stages;
}
