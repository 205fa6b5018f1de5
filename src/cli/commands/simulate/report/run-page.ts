import type { Whereabouts } from '../../../../simulator/binds.js';
import type { Slo, SloFinding } from '../../../../simulator/slo.js';
import type { PoolSummary } from '../../../../simulator/summary.js';
import type { Simulation } from '../../../../simulator/outcome.js';
import { measureColumns, poolColumns, sloColumns, type MeasureRow } from '../run-columns.js';
import { distribution, lines, phaseBars } from './figures.js';
import { writeSimulationReport, type ReportTable } from './write.js';

interface RunPage {
  /** What it came to, in a line. */
  readonly head: string;
  /** The run of the first seed, as far as it counts, and of how many. */
  readonly first: Pick<Simulation, 'traces'>;
  readonly of: number;
  readonly rows: readonly MeasureRow[];
  readonly pools: readonly PoolSummary[];
  readonly findings: readonly (SloFinding & { readonly kind: Slo['kind'] })[];
  readonly where: Whereabouts;
  readonly remarks: readonly string[];
}

/** Where the time goes, how latencies spread, and the tables of the answer. */
export async function runReport(path: string, page: RunPage): Promise<void> {
  const { head, first, of: runs, rows, pools, findings, where, remarks } = page;
  const done = first.traces.filter(({ status }) => status === 'completed');
  const milliseconds = (values: readonly number[]): number[] =>
    values.filter((value) => !Number.isNaN(value)).map((value) => 1000 * value);
  const of = runs === 1 ? '' : ' of the first seed';
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
    lead: `${head}.`,
    figures: [
      phaseBars('Where the time goes', `From arrival to the last token, a mean request${of}.`, parts),
      lines('First token', '', distribution('TTFT', milliseconds(done.map(({ ttft }) => ttft))), names),
      lines('Mean gap between tokens', '', distribution('TPOT', milliseconds(done.map(({ tpot }) => tpot))), names),
    ],
    tables: tables.filter((table) => table.rows.length > 0),
    remarks,
  });
}
