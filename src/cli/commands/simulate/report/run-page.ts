import { colour } from '../../../../../bench/report/theme.js';
import type { Whereabouts } from '../../../../simulator/binds.js';
import type { Slo, SloFinding } from '../../../../simulator/slo.js';
import type { PoolSummary } from '../../../../simulator/summary.js';
import type { Simulation } from '../../../../simulator/outcome.js';
import { measureColumns, poolColumns, sloColumns, type MeasureRow } from '../run-columns.js';
import { distribution, lines, stackedBars } from './figures.js';
import { writeSimulationReport, type ReportTable } from './write.js';

interface RunPage {
  readonly runs: readonly { readonly simulation: Simulation }[];
  readonly rows: readonly MeasureRow[];
  readonly pools: readonly PoolSummary[];
  readonly findings: readonly (SloFinding & { readonly kind: Slo['kind'] })[];
  readonly where: Whereabouts;
}

/** Where the time goes, how latencies spread, and the tables of the answer. */
export async function runReport(path: string, { runs, rows, pools, findings, where }: RunPage): Promise<void> {
  const done = runs[0].simulation.traces.filter(({ status }) => status === 'completed');
  const milliseconds = (values: readonly number[]): number[] =>
    values.filter((value) => !Number.isNaN(value)).map((value) => 1000 * value);
  const parts = (['queue', 'prefill', 'transfer', 'decode'] as const).map((part) => ({
    bar: 'mean request',
    part,
    value: 1000 * where[part],
  }));
  const names = { x: 'ms', y: 'share of requests below', log: true };
  const tables: ReportTable<never>[] = [
    { title: 'Latencies', rows, columns: measureColumns },
    { title: 'Machines', rows: pools, columns: poolColumns },
    { title: 'SLO', rows: findings, columns: sloColumns },
  ] as unknown as ReportTable<never>[];
  await writeSimulationReport(path, {
    title: 'A simulated cluster under a load',
    lead: `${done.length} requests of the first seed.`,
    figures: [
      stackedBars('Where the time goes', 'From arrival to the last token, a mean request.', parts, {
        unit: 'ms',
        colours: [
          ['queue', colour('kind7')],
          ['prefill', colour('prefill')],
          ['transfer', colour('measured')],
          ['decode', colour('decode')],
        ],
      }),
      lines('First token', '', distribution('TTFT', milliseconds(done.map(({ ttft }) => ttft))), names),
      lines('Mean gap between tokens', '', distribution('TPOT', milliseconds(done.map(({ tpot }) => tpot))), names),
    ],
    tables: tables.filter((table) => table.rows.length > 0),
  });
}
