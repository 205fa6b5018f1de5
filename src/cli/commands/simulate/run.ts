import { hostOf } from '../../../../bench/environment.js';
import { serveFiguresOf, runOf, SERVE_SCHEMA_VERSION, type ServeResult } from '../../../../bench/serve/schema.js';
import { writeWhole } from '../../../../bench/store.js';
import { aloneOn } from '../../../simulator/alone.js';
import { whereaboutsOf } from '../../../simulator/binds.js';
import { meanOfRuns } from '../../../simulator/intervals.js';
import type { Simulation } from '../../../simulator/outcome.js';
import type { ReallocationReport } from '../../../simulator/reallocation.js';
import type { SimulatedRequest } from '../../../simulator/request.js';
import { judge, type Slo, type SloFinding } from '../../../simulator/slo.js';
import { overloaded, recordOf } from '../../../simulator/summary.js';
import { SimulationTally } from '../../../simulator/tally.js';
import { clusterJsonSchema } from '../../../simulator/cluster-file.js';
import { counted, warmupOf, type WarmupCut } from '../../../simulator/warmup.js';
import { metricsOf, type ServeMetrics } from '../../../traffic/metrics.js';
import { RidgepointError } from '../../../errors.js';
import { csvTable, records, textTable } from '../../terminal/table.js';
import { print } from '../../terminal/output.js';
import { EXIT, stopSignal } from '../../run.js';
import { remark } from '../../terminal/style.js';
import { buildCluster, readCluster, withFirstToken, type BuiltCluster } from './build-cluster.js';
import { simulatedLoadOf } from './load.js';
import { keepHeapLean } from './lean-heap.js';
import type { FlagsIn } from '../../options/command-table.js';
import { SIMULATE } from './flags.js';
import type { SimulateFlags } from './options.js';
import { bindsOf, outcomeRow, summariesOf } from './outcome-row.js';
import { simulatePatiently } from './patient.js';
import { runReport } from './report/run-page.js';
import { measureColumns, measureRows, number, PERCENTILES, poolColumns, sloColumns } from './run-columns.js';
import { warmupLines, warmupRecord } from './warmup-words.js';
import { writeWindow } from './write-window.js';

/** One seed's run. */
export interface SeedRun {
  readonly seed: number;
  readonly simulation: Simulation;
  /** What does not count in the figures. */
  readonly cut: WarmupCut;
  readonly metrics: ServeMetrics;
  readonly findings: readonly SloFinding[] | undefined;
  readonly overloaded: boolean;
  /** Whether percentiles of ITL are exact; of more gaps than are kept they are read off fine bins. */
  readonly exactGaps: boolean;
}

type RunFlags = SimulateFlags & FlagsIn<typeof SIMULATE.run> & FlagsIn<typeof SIMULATE.runSchema>;

/** `ridgepoint simulate run`. @throws RidgepointError in one sentence */
export async function runCommand(path: string | undefined, flags: RunFlags): Promise<number> {
  if (flags.schema) {
    print(`${JSON.stringify(clusterJsonSchema(), null, 2)}\n`);
    return EXIT.ok;
  }
  if (path === undefined)
    throw new RidgepointError(
      'usage',
      'say which cluster: a JSON file, whose format "ridgepoint simulate run --schema" prints',
    );
  const file = withFirstToken(await readCluster(path), flags.firstTokenAt);
  const built = await buildCluster(file);
  keepHeapLean();
  const load = await simulatedLoadOf(flags, built.cluster.pools[0].blockTokens);
  const runs: SeedRun[] = [];
  const { seed: first = SIMULATE.load.seed.default, seeds = SIMULATE.load.seeds.default } = flags;
  for (let seed = first; seed < first + seeds && !stopSignal.aborted; seed++) {
    runs.push(await runSeed(built, load(seed), seed, flags));
  }
  const tell = !(flags.quiet ?? false);
  if (flags.output !== undefined)
    await writeWhole(flags.output, `${JSON.stringify(resultOf(path, file, runs), null, 1)}\n`);
  if (flags.traceWindow !== undefined) await writeWindow(runs.slice(0, 1), flags.traceWindow);
  // What moving machines is worth is seen beside a run in which they stay.
  const { reallocation: moves, ...staying } = built.cluster;
  const without =
    moves === undefined || flags.slo === undefined || stopSignal.aborted
      ? undefined
      : await runSeed({ ...built, cluster: staying }, load(first), first, flags);
  print(await answer(runs, built, flags, without));
  if (tell) remarksOn(runs, built).forEach(remark);
  return EXIT.ok;
}

async function runSeed(
  { cluster, reference }: BuiltCluster,
  requests: readonly SimulatedRequest[],
  seed: number,
  flags: RunFlags,
): Promise<SeedRun> {
  const { warmup = 'none' } = flags;
  const tally = new SimulationTally(typeof warmup === 'number' ? warmup : 0);
  const simulation = await simulatePatiently(cluster, requests, {
    seed,
    keepSteps: flags.traceWindow !== undefined,
    // A file of the result has every token in it, and a rule says at the end only whose count.
    keepTokens: flags.output !== undefined || warmup === 'mser-5',
    onEnd: tally.onEnd,
  });
  const cut = warmupOf(simulation.traces, warmup);
  const { traces } = counted(simulation, cut);
  return {
    seed,
    simulation,
    cut,
    metrics:
      warmup === 'mser-5'
        ? metricsOf([recordOf(counted(simulation, cut))], { percentiles: PERCENTILES })
        : tally.metrics(counted(simulation, cut), PERCENTILES),
    exactGaps: tally.exact,
    findings: flags.slo && judge(flags.slo, traces, flags.slo.kind === 'ms' ? undefined : aloneOn(reference)),
    overloaded: overloaded(simulation.traces),
  };
}

/** Of several seeds, the worst that was found. */
function worstFindings(runs: readonly SeedRun[], slo: Slo | undefined): (SloFinding & { kind: Slo['kind'] })[] {
  const all = runs.flatMap(({ findings }) => (findings === undefined ? [] : [findings]));
  if (slo === undefined || all.length === 0) return [];
  return all[0].map((finding, at) => {
    const found = Math.max(...all.map((findings) => findings[at].found));
    return { ...finding, found, met: found <= finding.most, kind: slo.kind };
  });
}

async function answer(
  runs: readonly SeedRun[],
  built: BuiltCluster,
  flags: RunFlags,
  without: SeedRun | undefined,
): Promise<string> {
  const { chips } = built;
  const rows = measureRows(runs.map(({ metrics }) => metrics));
  const findings = worstFindings(runs, flags.slo);
  const pools = summariesOf(runs[0].simulation, built);
  const [{ simulation, cut }] = runs;
  const where = whereaboutsOf(counted(simulation, cut));
  const binds = bindsOf(where, pools, built);
  const outcome = outcomeRow(simulation, built, flags.slo, { prices: flags.price, cut });
  const throughput = {
    completed: runs.reduce((sum, { metrics }) => sum + metrics.count.completed, 0),
    refused: runs.reduce((sum, { metrics }) => sum + metrics.count.failed, 0),
    requests_per_s: meanOfRuns(runs.map(({ metrics }) => metrics.requestsPerS)).mean,
    output_tokens_per_s: meanOfRuns(runs.map(({ metrics }) => metrics.outputTokensPerS)).mean,
    overloaded: runs.some((run) => run.overloaded),
    binds,
    goodput_per_s: outcome.goodput_per_s,
    usd_per_million_tokens: outcome.usd_per_million_tokens,
    cost_h100_machines: outcome.cost_h100_machines,
    tdp_watts: outcome.tdp_watts,
  };
  const dollars =
    outcome.usd_per_million_tokens === null
      ? ''
      : `, ${outcome.usd_per_million_tokens.toFixed(2)} usd a million tokens`;
  const head =
    `${throughput.completed} requests in ${runs.length === 1 ? 'one run' : `${runs.length} runs`}, ` +
    `${number(throughput.requests_per_s)} requests/s, ${number(throughput.output_tokens_per_s)} tok/s, ${chips} chips${dollars}${binds === undefined ? '' : `; bound by ${binds}`}`;
  const { transfers, reallocation } = simulation;
  const moved = reallocation === undefined ? [] : reallocated(reallocation, findings, without?.findings);
  moved.push(...warmupLines(runs, flags.warmup));
  if (flags.report !== undefined) {
    const remarks = [...moved, ...remarksOn(runs, built)];
    await runReport(flags.report, {
      head,
      first: counted(simulation, cut),
      of: runs.length,
      rows,
      pools,
      findings,
      where,
      remarks,
    });
  }
  if (flags.json)
    return `${JSON.stringify({ seeds: runs.map(({ seed }) => seed), chips, ...throughput, ...warmupRecord(runs, flags.warmup), measures: records(rows, measureColumns), pools: records(pools, poolColumns), transfers, whereabouts_s: where, reallocation, slo: flags.slo && { name: flags.slo.name, met: findings.every(({ met }) => met), limits: records(findings, sloColumns) } }, null, 2)}\n`;
  if (flags.csv) return csvTable(rows, measureColumns);
  const slo = findings.length === 0 ? '' : `\n${textTable(findings, sloColumns)}`;
  const lines = moved.length === 0 ? '' : `\n${moved.map((line) => `${line}\n`).join('')}`;
  return `${head}\n\n${textTable(rows, measureColumns)}\n${textTable(pools, poolColumns)}${slo}${lines}`;
}

/** What moving machines came to: moves, how far forecasts were off, and the SLO beside that of machines that stay. */
function reallocated(
  { moves, promptError, outputError, timeline }: ReallocationReport,
  findings: readonly SloFinding[],
  without: readonly SloFinding[] | undefined,
): string[] {
  const share = (error: number | undefined): string => (error === undefined ? '-' : `${(100 * error).toFixed(0)} %`);
  const last = timeline.at(-1);
  const shown = last === undefined ? '' : `, ${last.prefill} for prompts and ${last.decode} that decode in the end`;
  const line = `reallocation: ${moves} moves${shown}; forecasts of prompt tokens were off by ${share(promptError)}, of answers by ${share(outputError)}`;
  if (without === undefined) return [line];
  const found = (all: readonly SloFinding[]): string =>
    all
      .map(({ measure, percent, found: value }) => `p${percent} ${measure.toUpperCase()} ${value.toFixed(2)}`)
      .join(', ');
  return [line, `  moved:  ${found(findings)}`, `  stayed: ${found(without)}`];
}

function remarksOn(runs: readonly SeedRun[], { cluster }: BuiltCluster): string[] {
  const remarks: string[] = [];
  const refused = runs.flatMap(({ simulation }) => simulation.traces.filter(({ status }) => status === 'refused'));
  if (refused.length > 0) remarks.push(`${refused.length} requests were refused; the first: ${refused[0].refusal}`);
  if (runs.some((run) => run.overloaded))
    remarks.push(
      'overloaded: waits were still growing at the end of the arrivals, so latencies say how long the run was and nothing else',
    );
  if (runs.some(({ exactGaps }) => !exactGaps))
    remarks.push('there are so many gaps that percentiles of ITL are read off bins 0.003 % wide');
  for (const { name, price } of cluster.pools) {
    const { steps, of } = price.outside ?? { steps: 0, of: 0 };
    if (steps > 0)
      remarks.push(
        `pool ${name}: ${steps} of ${of} steps lay outside of what its table was measured at, and lines were drawn on`,
      );
  }
  if (stopSignal.aborted) remarks.push('stopped; this is what was simulated until then');
  return remarks;
}

/** As `bench serve` would have measured it. */
function resultOf(path: string, file: object, runs: readonly SeedRun[]): ServeResult {
  const options = { percentiles: PERCENTILES };
  return {
    version: SERVE_SCHEMA_VERSION,
    kind: 'serve',
    complete: !stopSignal.aborted,
    date: new Date().toISOString(),
    backend: 'simulated',
    options: { cluster: path, ...file },
    context: null,
    server: null,
    host: hostOf(),
    notes: ['simulated: nothing was run'],
    policies: [
      {
        policy: null,
        figures: serveFiguresOf(
          metricsOf(
            runs.map(({ simulation, cut }) => recordOf(counted(simulation, cut))),
            options,
          ),
        ),
      },
    ],
    runs: runs.map(({ simulation, seed, cut, metrics }) => ({
      ...runOf({ policy: undefined, round: seed, record: recordOf(simulation), stats: undefined }, options),
      // Every request is in the file; the figures are of those that count.
      ...(cut.requests > 0 && { figures: serveFiguresOf(metrics), warmup: cut }),
    })),
  };
}
