import type { Bind } from '../../../simulator/binds.js';
import { highestGood } from '../../../simulator/search.js';
import type { Verdict } from '../../../simulator/trial.js';
import { RidgepointError } from '../../../errors.js';
import { csvTable, records, textTable, type Column } from '../../terminal/table.js';
import { print, status } from '../../terminal/output.js';
import { EXIT, stopSignal } from '../../run.js';
import { remark } from '../../terminal/style.js';
import { bindsOfAnswer } from './answer-run.js';
import { buildCluster, readCluster, withFirstToken } from './build-cluster.js';
import { simulatedLoadOf, type LoadOf } from './load.js';
import { refuseSimulate, type SimulateFlags } from './options.js';
import { writeSimulationReport, type ReportTable } from './report/write.js';
import { sloColumns } from './run-columns.js';
import { bindsColumn, questionOf, foundUntilStopped, verdictOf } from './question.js';

interface CapacityRow {
  readonly rate: number;
  readonly perMachine: number;
  readonly perChip: number;
  readonly binds: Bind | undefined;
}

/** `ridgepoint simulate capacity`: the highest rate that meets an SLO. */
export async function capacityCommand(path: string, flags: SimulateFlags): Promise<number> {
  if (flags.rate !== undefined) refuseSimulate('simulate.rate', 'is what capacity finds; leave it out');
  const file = withFirstToken(await readCluster(path), flags.firstTokenAt);
  const built = await buildCluster(file);
  const { cluster, chips } = built;
  const question = questionOf(built.reference, flags);
  const tell = !(flags.quiet ?? false);
  const loadAt = (rate: number): Promise<LoadOf> =>
    simulatedLoadOf({ ...flags, rate }, built.cluster.pools[0].blockTokens);
  let best: { readonly rate: number; readonly verdict: Verdict } | undefined;
  const isGood = async (rate: number): Promise<boolean> => {
    if (tell && process.stderr.isTTY) status(`${rate.toFixed(2)} requests/s ...`);
    const verdict = await verdictOf(cluster, await loadAt(rate), question);
    if (verdict.met) best = { rate, verdict };
    return verdict.met;
  };
  const rate = await foundUntilStopped(
    () => highestGood(LOWEST_RATE, PRECISION, isGood),
    () => best?.rate,
  );
  if (rate === undefined) {
    if (tell && process.stderr.isTTY) status();
    throw new RidgepointError(
      'usage',
      `even ${LOWEST_RATE} requests/s miss ${question.slo.name}: no rate meets it on this cluster`,
    );
  }
  const machines = cluster.pools.reduce((sum, { count }) => sum + count, 0);
  const [seed] = question.seeds;
  const { traceWindow: window } = flags;
  const stopped = stopSignal.aborted;
  const binds = stopped ? undefined : await bindsOfAnswer(built, cluster, (await loadAt(rate))(seed), { seed, window });
  if (tell && process.stderr.isTTY) status();
  const row: CapacityRow = { rate, perMachine: rate / machines, perChip: rate / chips, binds };
  const columns: Column<CapacityRow>[] = [
    { head: 'requests/s', key: 'requests_per_s', value: ({ rate }) => rate, text: ({ rate }) => rate.toPrecision(3) },
    {
      head: 'a machine',
      key: 'per_machine',
      value: ({ perMachine }) => perMachine,
      text: ({ perMachine }) => perMachine.toPrecision(3),
    },
    { head: 'a chip', key: 'per_chip', value: ({ perChip }) => perChip, text: ({ perChip }) => perChip.toPrecision(3) },
    bindsColumn(),
  ];
  const limits = best!.verdict.findings.map((finding) => ({ ...finding, kind: question.slo.kind }));
  if (flags.json)
    print(
      `${JSON.stringify({ slo: question.slo.name, rows: records([row], columns), limits: records(limits, sloColumns) }, null, 2)}\n`,
    );
  else print(flags.csv ? csvTable([row], columns) : `${textTable([row], columns)}\n${textTable(limits, sloColumns)}`);
  if (flags.report !== undefined) {
    await writeSimulationReport(flags.report, {
      title: `The highest rate that meets ${question.slo.name}`,
      lead: `${path}: ${rate.toPrecision(3)} requests a second.`,
      figures: [],
      tables: [
        { title: 'Rate', rows: [row], columns },
        { title: 'Limits', rows: limits, columns: sloColumns },
      ] as unknown as readonly ReportTable<never>[],
    });
  }
  if (tell && stopped) remark('stopped; this rate meets the SLO, and higher ones were not tried to the end');
  return EXIT.ok;
}

const LOWEST_RATE = 0.05;
const PRECISION = 0.02;
