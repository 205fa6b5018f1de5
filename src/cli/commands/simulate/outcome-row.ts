import { aloneOn } from '../../../simulator/alone.js';
import { bindOf, whereaboutsOf, type Bind, type Whereabouts } from '../../../simulator/binds.js';
import type { Simulation } from '../../../simulator/outcome.js';
import { isGood, judge, type Slo } from '../../../simulator/slo.js';
import { overloaded, poolSummaries, type PoolSummary } from '../../../simulator/summary.js';
import { counted, type WarmupCut } from '../../../simulator/warmup.js';
import { WorkOf } from '../../../simulator/work.js';
import { quantile } from '../../../statistics.js';
import type { Column } from '../../terminal/table.js';
import type { BuiltCluster } from './build-cluster.js';
import { chargeOf } from './charges.js';

/** What a run comes to in one line. Milliseconds. */
export interface OutcomeRow {
  readonly completed: number;
  readonly refused: number;
  readonly requests_per_s: number;
  readonly output_tokens_per_s: number;
  readonly ttft_p50_ms: number | null;
  readonly ttft_p90_ms: number | null;
  readonly ttft_p99_ms: number | null;
  readonly tpot_p50_ms: number | null;
  readonly tpot_p90_ms: number | null;
  readonly tpot_p99_ms: number | null;
  readonly overloaded: boolean;
  readonly met: boolean | null;
  readonly binds: Bind | null;
  readonly chips: number;
  /** Requests a second that meet every limit of the SLO, each at the highest percentile that it names. */
  readonly goodput_per_s: number | null;
  readonly usd_per_hour: number | null;
  readonly usd_per_million_tokens: number | null;
  /** In machines of eight H100s, by SPAD's formulas. */
  readonly cost_h100_machines: number | null;
  readonly tdp_watts: number | null;
}

const PERCENTILES = [50, 90, 99] as const;

/** What machines of each pool compute and move. */
export function summariesOf(simulation: Simulation, { predictors }: BuiltCluster): PoolSummary[] {
  return poolSummaries(simulation, (pool) => {
    const predictor = predictors.get(pool);
    return predictor && new WorkOf(predictor);
  });
}

export const bindsOf = (
  where: Whereabouts,
  pools: readonly PoolSummary[],
  { cluster }: BuiltCluster,
): Bind | undefined =>
  bindOf(
    where,
    pools,
    cluster.pools.map(({ role }) => role),
  );

/** @param cut of the run's beginning, what does not count; what machines did is that of the whole run */
export function outcomeRow(
  simulation: Simulation,
  built: BuiltCluster,
  slo: Slo | undefined,
  { prices, cut }: { readonly prices?: ReadonlyMap<string, number>; readonly cut?: WarmupCut } = {},
): OutcomeRow {
  const { traces, duration } = cut === undefined ? simulation : counted(simulation, cut);
  const done = traces.filter(({ status }) => status === 'completed');
  const tokens = done.reduce((sum, { tokens: { count } }) => sum + count, 0);
  const percentiles = (values: readonly number[]): (number | null)[] => {
    const sorted = Float64Array.from(values.filter((value) => !Number.isNaN(value))).sort();
    return PERCENTILES.map((percent) => (sorted.length === 0 ? null : 1000 * quantile(sorted, percent / 100)));
  };
  const ttfts = percentiles(done.map((trace) => trace.ttft));
  const tpots = percentiles(done.map((trace) => trace.tpot));
  const alone = slo?.kind === 'slowdown' ? aloneOn(built.reference) : undefined;
  const endless = overloaded(simulation.traces);
  const { usdPerHour, tdpWatts, spad } = chargeOf(built, prices);
  const pools = summariesOf(simulation, built);
  return {
    completed: done.length,
    refused: traces.filter(({ status }) => status === 'refused').length,
    requests_per_s: duration > 0 ? done.length / duration : 0,
    output_tokens_per_s: duration > 0 ? tokens / duration : 0,
    ttft_p50_ms: ttfts[0],
    ttft_p90_ms: ttfts[1],
    ttft_p99_ms: ttfts[2],
    tpot_p50_ms: tpots[0],
    tpot_p90_ms: tpots[1],
    tpot_p99_ms: tpots[2],
    overloaded: endless,
    met: slo === undefined ? null : !endless && judge(slo, traces, alone).every(({ met }) => met),
    binds: bindsOf(whereaboutsOf({ traces }), pools, built) ?? null,
    chips: built.chips,
    goodput_per_s:
      slo === undefined || duration === 0 ? null : done.filter((trace) => isGood(trace, slo, alone)).length / duration,
    usd_per_hour: usdPerHour ?? null,
    cost_h100_machines: spad?.cost ?? null,
    usd_per_million_tokens:
      usdPerHour === undefined || tokens === 0 ? null : (usdPerHour * duration * 1e6) / 3600 / tokens,
    tdp_watts: tdpWatts ?? null,
  };
}

const whole = (value: number | null): string =>
  value === null ? '-' : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

/** Columns of such rows, each with something of its own before it. */
export function outcomeColumns<Row extends OutcomeRow>(): Column<Row>[] {
  const column = (head: string, key: keyof OutcomeRow): Column<Row> => ({
    head,
    key,
    value: (row) => row[key] ?? undefined,
    text: (row) => whole(row[key] as number | null),
  });
  const silent = (key: keyof OutcomeRow): Column<Row> => ({ head: '', key, value: (row) => row[key] ?? undefined });
  return [
    silent('completed'),
    silent('refused'),
    column('requests/s', 'requests_per_s'),
    column('tok/s', 'output_tokens_per_s'),
    column('TTFT p50 ms', 'ttft_p50_ms'),
    column('p90', 'ttft_p90_ms'),
    column('p99', 'ttft_p99_ms'),
    column('TPOT p50 ms', 'tpot_p50_ms'),
    column('p90', 'tpot_p90_ms'),
    column('p99', 'tpot_p99_ms'),
    { head: 'binds', key: 'binds', value: ({ binds }) => binds ?? undefined, text: ({ binds }) => binds ?? '-' },
    {
      head: 'SLO',
      key: 'met',
      value: ({ met }) => met ?? undefined,
      text: ({ met, overloaded: endless }) => (endless ? 'overloaded' : met === null ? '-' : met ? 'met' : 'missed'),
    },
    silent('overloaded'),
    column('good/s', 'goodput_per_s'),
    silent('usd_per_hour'),
    silent('cost_h100_machines'),
    silent('chips'),
    column('usd/M tok', 'usd_per_million_tokens'),
    silent('tdp_watts'),
  ];
}
