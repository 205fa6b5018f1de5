import { hostOf } from '../../../bench/environment.js';
import { figuresOf, runOf, SERVE_SCHEMA_VERSION, type ServeResult } from '../../../bench/serve/schema.js';
import { writeWhole } from '../../../bench/store.js';
import { aloneOn } from '../../simulator/alone.js';
import { meanOfRuns } from '../../simulator/intervals.js';
import type { Simulation } from '../../simulator/outcome.js';
import type { SimulatedRequest } from '../../simulator/request.js';
import { judge, type Slo, type SloFinding } from '../../simulator/slo.js';
import { overloaded, poolSummaries, recordOf, type PoolSummary } from '../../simulator/summary.js';
import { clusterJsonSchema } from '../../simulator/cluster-file.js';
import { metricsOf, type MeasureName, type ServeMetrics } from '../../traffic/metrics.js';
import { RidgepointError } from '../../errors.js';
import { csvTable, records, textTable, type Column } from '../predict/table.js';
import { print } from '../output.js';
import { EXIT, stopSignal } from '../run.js';
import { remark } from '../style.js';
import { buildCluster, readCluster, type BuiltCluster } from './build-cluster.js';
import { loadOf } from './load.js';
import type { SimulateFlags } from './options.js';
import { simulatePatiently } from './patient.js';
import { chromeTrace, parseWindow } from './trace-window.js';

const PERCENTILES = [50, 90, 99];
const MEASURES: readonly (readonly [MeasureName, string])[] = [
  ['ttft', 'TTFT'],
  ['tpot', 'TPOT'],
  ['itl', 'ITL'],
  ['e2el', 'E2E'],
];

/** One seed's run. */
interface SeedRun {
  readonly seed: number;
  readonly simulation: Simulation;
  readonly metrics: ServeMetrics;
  readonly findings: readonly SloFinding[] | undefined;
  readonly overloaded: boolean;
}

/** `ridgepoint simulate run`. @throws RidgepointError in one sentence */
export async function runCommand(path: string | undefined, flags: SimulateFlags): Promise<number> {
  if (flags.schema) {
    print(`${JSON.stringify(clusterJsonSchema(), null, 2)}\n`);
    return EXIT.ok;
  }
  if (path === undefined)
    throw new RidgepointError(
      'usage',
      'say which cluster: a JSON file, whose format "ridgepoint simulate run --schema" prints',
    );
  const window = flags.traceWindow === undefined ? undefined : parseWindow(flags.traceWindow);
  const file = await readCluster(path);
  const built = await buildCluster(file);
  const load = await loadOf(flags, file.pools[0].block_tokens);
  const runs: SeedRun[] = [];
  const first = flags.seed ?? 0;
  for (let seed = first; seed < first + (flags.seeds ?? 1) && !stopSignal.aborted; seed++) {
    runs.push(await runSeed(built, load(seed), seed, flags));
  }
  const tell = !(flags.quiet ?? false);
  if (flags.output !== undefined)
    await writeWhole(flags.output, `${JSON.stringify(resultOf(path, file, runs), null, 1)}\n`);
  if (window !== undefined)
    await writeWhole(window.path, `${JSON.stringify(chromeTrace(runs[0].simulation, window))}\n`);
  print(answer(runs, built, flags));
  if (tell) remarksOn(runs, built).forEach(remark);
  return EXIT.ok;
}

async function runSeed(
  { cluster, reference }: BuiltCluster,
  requests: readonly SimulatedRequest[],
  seed: number,
  flags: SimulateFlags,
): Promise<SeedRun> {
  const simulation = await simulatePatiently(cluster, requests, {
    seed,
    keepSteps: flags.traceWindow !== undefined,
  });
  return {
    seed,
    simulation,
    metrics: metricsOf([recordOf(simulation)], { percentiles: PERCENTILES }),
    findings:
      flags.slo && judge(flags.slo, simulation.traces, flags.slo.kind === 'ms' ? undefined : aloneOn(reference)),
    overloaded: overloaded(simulation.traces),
  };
}

interface MeasureRow {
  readonly name: string;
  readonly key: string;
  readonly percentiles: readonly (readonly [number, ReturnType<typeof meanOfRuns>])[];
  readonly mean: ReturnType<typeof meanOfRuns>;
}

function measureRows(runs: readonly SeedRun[]): MeasureRow[] {
  return MEASURES.flatMap(([key, name]): MeasureRow[] => {
    const found = runs.flatMap(({ metrics }) => metrics.measures[key] ?? []);
    if (found.length === 0) return [];
    return [
      {
        key,
        name,
        mean: meanOfRuns(found.map(({ mean }) => mean)),
        percentiles: PERCENTILES.map((percent, at) => [
          percent,
          meanOfRuns(found.map(({ percentiles }) => percentiles[at][1])),
        ]),
      },
    ];
  });
}

const number = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toPrecision(2);
const withHalf = ({ mean, half }: ReturnType<typeof meanOfRuns>): string =>
  half === undefined ? number(mean) : `${number(mean)} ±${number(half)}`;

const measureColumns: readonly Column<MeasureRow>[] = [
  { head: 'ms', key: 'measure', value: ({ key }) => key, text: ({ name }) => name },
  { head: 'mean', key: 'mean_ms', value: ({ mean }) => mean.mean, text: ({ mean }) => withHalf(mean) },
  ...PERCENTILES.flatMap((percent, at): Column<MeasureRow>[] => [
    {
      head: `p${percent}`,
      key: `p${percent}_ms`,
      value: ({ percentiles }) => percentiles[at][1].mean,
      text: ({ percentiles }) => withHalf(percentiles[at][1]),
    },
    { head: '', key: `p${percent}_half_ms`, value: ({ percentiles }) => percentiles[at][1].half },
  ]),
];

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

const poolColumns: readonly Column<PoolSummary>[] = [
  { head: 'pool', key: 'pool', value: ({ pool }) => pool, text: ({ pool }) => pool },
  { head: 'machines', key: 'machines', value: ({ machines }) => machines, text: ({ machines }) => String(machines) },
  { head: 'busy', key: 'busy', value: ({ busy }) => busy, text: ({ busy }) => percent(busy) },
  {
    head: 'with prompts',
    key: 'with_prompts',
    value: ({ prompts }) => prompts,
    text: ({ prompts }) => percent(prompts),
  },
  {
    head: 'prompt tok/s',
    key: 'prompt_tokens_per_s',
    value: (row) => row.promptTokensPerSecond,
    text: (row) => number(row.promptTokensPerSecond),
  },
  {
    head: 'decoded tok/s',
    key: 'decoded_tokens_per_s',
    value: (row) => row.decodedTokensPerSecond,
    text: (row) => number(row.decodedTokensPerSecond),
  },
  {
    head: 'preemptions',
    key: 'preemptions',
    value: ({ preemptions }) => preemptions,
    text: ({ preemptions }) => String(preemptions),
  },
];

export const sloColumns: readonly Column<SloFinding & { readonly kind: Slo['kind'] }>[] = [
  {
    head: 'SLO',
    key: 'measure',
    value: ({ measure }) => measure,
    text: ({ measure, percent: share }) => `p${share} ${measure.toUpperCase()}`,
  },
  { head: '', key: 'percent', value: (row) => row.percent },
  {
    head: 'limit',
    key: 'most',
    value: ({ most }) => most,
    text: ({ most, kind }) => (kind === 'ms' ? `${most} ms` : `${most} x`),
  },
  {
    head: 'found',
    key: 'found',
    value: ({ found }) => found,
    text: ({ found, kind }) => (kind === 'ms' ? `${number(found)} ms` : `${found.toFixed(2)} x`),
  },
  { head: '', key: 'met', value: ({ met }) => met, text: ({ met }) => (met ? 'met' : 'missed') },
];

/** Of several seeds, the worst that was found. */
function worstFindings(runs: readonly SeedRun[], slo: Slo | undefined): (SloFinding & { kind: Slo['kind'] })[] {
  const all = runs.flatMap(({ findings }) => (findings === undefined ? [] : [findings]));
  if (slo === undefined || all.length === 0) return [];
  return all[0].map((finding, at) => {
    const found = Math.max(...all.map((findings) => findings[at].found));
    return { ...finding, found, met: found <= finding.most, kind: slo.kind };
  });
}

function answer(runs: readonly SeedRun[], { chips }: BuiltCluster, flags: SimulateFlags): string {
  const rows = measureRows(runs);
  if (flags.csv) return csvTable(rows, measureColumns);
  const findings = worstFindings(runs, flags.slo);
  const pools = poolSummaries(runs[0].simulation);
  const throughput = {
    completed: runs.reduce((sum, { metrics }) => sum + metrics.count.completed, 0),
    refused: runs.reduce((sum, { metrics }) => sum + metrics.count.failed, 0),
    requests_per_s: meanOfRuns(runs.map(({ metrics }) => metrics.requestsPerS)).mean,
    output_tokens_per_s: meanOfRuns(runs.map(({ metrics }) => metrics.outputTokensPerS)).mean,
    overloaded: runs.some((run) => run.overloaded),
  };
  if (flags.json) {
    const { transfers } = runs[0].simulation;
    return `${JSON.stringify({ seeds: runs.map(({ seed }) => seed), chips, ...throughput, measures: records(rows, measureColumns), pools: records(pools, poolColumns), transfers, slo: flags.slo && { name: flags.slo.name, met: findings.every(({ met }) => met), limits: records(findings, sloColumns) } }, null, 2)}\n`;
  }
  const slo = findings.length === 0 ? '' : `\n${textTable(findings, sloColumns)}`;
  const head =
    `${throughput.completed} requests in ${runs.length === 1 ? 'one run' : `${runs.length} runs`}, ` +
    `${number(throughput.requests_per_s)} requests/s, ${number(throughput.output_tokens_per_s)} tok/s, ${chips} chips\n\n`;
  return `${head}${textTable(rows, measureColumns)}\n${textTable(pools, poolColumns)}${slo}`;
}

function remarksOn(runs: readonly SeedRun[], { cluster }: BuiltCluster): string[] {
  const remarks: string[] = [];
  const refused = runs.flatMap(({ simulation }) => simulation.traces.filter(({ status }) => status === 'refused'));
  if (refused.length > 0) remarks.push(`${refused.length} requests were refused; the first: ${refused[0].refusal}`);
  if (runs.some((run) => run.overloaded))
    remarks.push(
      'overloaded: waits were still growing at the end of the arrivals, so latencies say how long the run was and nothing else',
    );
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
        figures: figuresOf(
          metricsOf(
            runs.map(({ simulation }) => recordOf(simulation)),
            options,
          ),
        ),
      },
    ],
    runs: runs.map(({ simulation, seed }) =>
      runOf({ policy: undefined, round: seed, record: recordOf(simulation), stats: undefined }, options),
    ),
  };
}
