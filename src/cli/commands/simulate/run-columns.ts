import { meanOfRuns } from '../../../simulator/intervals.js';
import type { Slo, SloFinding } from '../../../simulator/slo.js';
import type { PoolSummary } from '../../../simulator/summary.js';
import type { MeasureName, ServeMetrics } from '../../../traffic/metrics.js';
import type { Column } from '../../terminal/table.js';

export const PERCENTILES = [50, 90, 99];
const MEASURES: readonly (readonly [MeasureName, string])[] = [
  ['ttft', 'TTFT'],
  ['tpot', 'TPOT'],
  ['itl', 'ITL'],
  ['e2el', 'E2E'],
];

export interface MeasureRow {
  readonly name: string;
  readonly key: string;
  readonly percentiles: readonly (readonly [number, ReturnType<typeof meanOfRuns>])[];
  readonly mean: ReturnType<typeof meanOfRuns>;
}

export function measureRows(metrics: readonly ServeMetrics[]): MeasureRow[] {
  return MEASURES.flatMap(([key, name]): MeasureRow[] => {
    const found = metrics.flatMap(({ measures }) => measures[key] ?? []);
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

export const number = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toPrecision(2);
const withHalf = ({ mean, half }: ReturnType<typeof meanOfRuns>): string =>
  half === undefined ? number(mean) : `${number(mean)} ±${number(half)}`;

export const measureColumns: readonly Column<MeasureRow>[] = [
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

export const poolColumns: readonly Column<PoolSummary>[] = [
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
    head: 'MFU',
    key: 'mfu',
    value: ({ mfu }) => mfu,
    text: ({ mfu }) => (mfu === undefined ? '-' : percent(mfu)),
  },
  {
    head: 'MBU',
    key: 'mbu',
    value: ({ mbu }) => mbu,
    text: ({ mbu }) => (mbu === undefined ? '-' : percent(mbu)),
  },
  { head: '', key: 'idle_compute', value: ({ mfu }) => mfu && 1 - mfu },
  { head: 'KV used', key: 'kv_use', value: ({ cacheUse }) => cacheUse, text: ({ cacheUse }) => percent(cacheUse) },
  {
    head: 'queue a machine',
    key: 'queue',
    value: ({ queue }) => queue,
    text: ({ queue }) => number(queue),
  },
  {
    head: 'binds',
    key: 'binds',
    value: ({ binds }) => binds,
    text: ({ binds }) => binds ?? '-',
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
