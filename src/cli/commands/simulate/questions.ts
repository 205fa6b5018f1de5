import { aloneOn } from '../../../simulator/alone.js';
import type { Bind } from '../../../simulator/binds.js';
import type { Cluster, Pool } from '../../../simulator/cluster.js';
import { frontier, highestGood, type Counts } from '../../../simulator/search.js';
import type { ClusterFile } from '../../../simulator/cluster-file.js';
import type { Alone, Slo } from '../../../simulator/slo.js';
import { trial, type Verdict } from '../../../simulator/trial.js';
import { RidgepointError } from '../../../errors.js';
import { csvTable, records, textTable, type Column } from '../../terminal/table.js';
import { print, status } from '../../terminal/output.js';
import { EXIT } from '../../run.js';
import { remark } from '../../terminal/style.js';
import { bindsOfAnswer } from './answer-run.js';
import { buildCluster, readCluster } from './build-cluster.js';
import { simulatedLoadOf, type LoadOf } from './load.js';
import { chargeOf } from './charges.js';
import type { FlagsIn } from '../../options/command-table.js';
import { option, words } from '../../../wording.js';
import { SIMULATE } from './flags.js';
import { refuseSimulate, type SimulateFlags } from './options.js';
import { writeSimulationReport, type ReportTable } from './report/write.js';
import { turn } from './patient.js';
import { sloColumns } from './run-columns.js';

/** What the questions ask of a cluster: whether it meets an SLO under a load, at every seed. */
interface Question {
  readonly slo: Slo;
  readonly alone: Alone | undefined;
  readonly seeds: readonly number[];
}

/** Of the seed that did worst at each limit. */
async function verdictOf(cluster: Cluster, load: LoadOf, { slo, alone, seeds }: Question): Promise<Verdict> {
  let worst: Verdict | undefined;
  for (const seed of seeds) {
    const { findings } = await trial(cluster, load(seed), { slo, alone }, { seed, turn });
    const all = findings.map((finding, at) => {
      const found = Math.max(finding.found, worst?.findings[at].found ?? 0);
      return { ...finding, found, met: found <= finding.most };
    });
    worst = { met: all.every(({ met }) => met), findings: all };
    // One seed that misses decides.
    if (!worst.met) break;
  }
  return worst!;
}

function questionOf(reference: Pool, flags: SimulateFlags): Question {
  const { slo, seed = SIMULATE.load.seed.default, seeds = SIMULATE.load.seeds.default } = flags;
  if (slo === undefined)
    throw new RidgepointError(
      'usage',
      words`say what has to be met: ${option('simulate.slo', 'spad:normal')}, or limits such as ${option('simulate.slo', 'ttft:p90:500,tbt:p99:50')}`,
      { option: 'simulate.slo' },
    );
  return {
    slo,
    alone: slo.kind === 'ms' ? undefined : aloneOn(reference),
    seeds: Array.from({ length: seeds }, (_, at) => seed + at),
  };
}

interface CapacityRow {
  readonly rate: number;
  readonly perMachine: number;
  readonly perChip: number;
  readonly binds: Bind | undefined;
}

/** What keeps an answer from being better. */
const bindsColumn = <Row extends { readonly binds: Bind | undefined }>(): Column<Row> => ({
  head: 'binds',
  key: 'binds',
  value: ({ binds }) => binds,
  text: ({ binds }) => binds ?? '-',
});

/** `ridgepoint simulate capacity`: the highest rate that meets an SLO. */
export async function capacityCommand(path: string, flags: SimulateFlags): Promise<number> {
  if (flags.rate !== undefined) refuseSimulate('simulate.rate', 'is what capacity finds; leave it out');
  const file = await readCluster(path);
  const built = await buildCluster(file);
  const { cluster, chips } = built;
  const question = questionOf(built.reference, flags);
  const tell = !(flags.quiet ?? false);
  const loadAt = (rate: number): Promise<LoadOf> => simulatedLoadOf({ ...flags, rate }, file.pools[0].block_tokens);
  let verdict: Verdict | undefined;
  const rate = await highestGood(LOWEST_RATE, PRECISION, async (rate) => {
    if (tell && process.stderr.isTTY) status(`${rate.toFixed(2)} requests/s ...`);
    const found = await verdictOf(cluster, await loadAt(rate), question);
    if (found.met) verdict = found;
    return found.met;
  });
  if (rate === undefined) {
    if (tell && process.stderr.isTTY) status();
    throw new RidgepointError(
      'usage',
      `even ${LOWEST_RATE} requests/s miss ${question.slo.name}: no rate meets it on this cluster`,
    );
  }
  const machines = cluster.pools.reduce((sum, { count }) => sum + count, 0);
  const [seed] = question.seeds;
  const binds = await bindsOfAnswer(built, cluster, (await loadAt(rate))(seed), { seed, window: flags.traceWindow });
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
  const limits = verdict!.findings.map((finding) => ({ ...finding, kind: question.slo.kind }));
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
  return EXIT.ok;
}

const LOWEST_RATE = 0.05;
const PRECISION = 0.02;

interface PlanRow {
  readonly counts: readonly number[];
  readonly machines: number;
  readonly chips: number;
  readonly usdPerHour: number | undefined;
  readonly tdpWatts: number | undefined;
  /** In machines of eight H100s, by SPAD's formulas. */
  readonly costH100: number | undefined;
  readonly binds: Bind | undefined;
}

/** `ridgepoint simulate provision`: the fewest machines that meet an SLO. */
export async function provisionCommand(
  path: string,
  flags: SimulateFlags & FlagsIn<typeof SIMULATE.provision>,
): Promise<number> {
  const { most = SIMULATE.provision.most.default } = flags;
  const file = await readCluster(path);
  const built = await buildCluster(file);
  const { pools } = built.cluster;
  if (pools.length > 2)
    throw new RidgepointError(
      'usage',
      `${path}: provision counts machines of one pool or two, and there are ${pools.length}`,
    );
  const load = await simulatedLoadOf(flags, file.pools[0].block_tokens);
  const question = questionOf(built.reference, flags);
  const tell = !(flags.quiet ?? false) && process.stderr.isTTY;
  const withCounts = (counts: readonly number[]): Cluster => ({
    ...built.cluster,
    pools: pools.map((pool, at) => ({ ...pool, count: counts[at] })),
  });
  const meets = async (counts: readonly number[], seeds = question.seeds): Promise<boolean> => {
    if (tell) status(`${counts.map((count, at) => `${count} ${pools[at].name}`).join(' + ')} ...`);
    return (await verdictOf(withCounts(counts), load, { ...question, seeds })).met;
  };
  const edge: number[][] =
    pools.length === 1
      ? (await frontier({ first: most, second: 1 }, ({ first }) => meets([first])))
          .slice(0, 1)
          .map(({ first }) => [first])
      : (await frontier({ first: most, second: most }, ({ first, second }: Counts) => meets([first, second]))).map(
          ({ first, second }) => [first, second],
        );
  if (edge.length === 0)
    throw new RidgepointError(
      'usage',
      words`${most} machines of each pool miss ${question.slo.name}; allow more by ${option('simulate.most')}`,
      { option: 'simulate.most' },
    );
  const plans = edge.map((counts): Omit<PlanRow, 'binds'> => {
    const sum = (value: (at: number) => number | undefined): number | undefined =>
      counts.reduce<number | undefined>((total, count, at) => {
        const each = value(at);
        return total === undefined || each === undefined ? undefined : total + count * file.pools[at].chips * each;
      }, 0);
    const { usdPerHour, tdpWatts, spad } = chargeOf(built, flags.price, counts);
    return {
      counts,
      machines: counts.reduce((total, count) => total + count, 0),
      chips: sum(() => 1)!,
      usdPerHour,
      tdpWatts,
      costH100: spad?.cost,
    };
  });
  const cost = ({ usdPerHour, costH100 }: Omit<PlanRow, 'binds'>): number => usdPerHour ?? costH100 ?? 0;
  plans.sort((a, b) => cost(a) - cost(b) || a.machines - b.machines);
  const [seed] = question.seeds;
  const rows: PlanRow[] = [];
  for (const [at, plan] of plans.entries()) {
    const window = at === 0 ? flags.traceWindow : undefined;
    const binds = await bindsOfAnswer(built, withCounts(plan.counts), load(seed), { seed, window });
    rows.push({ ...plan, binds });
  }
  // Seeds a plan was found with may have been kind to it.
  const fresh = question.seeds.map((seed) => seed + FRESH);
  const holds = await meets(rows[0].counts, fresh);
  if (tell) status();
  const columns: Column<PlanRow>[] = [
    ...pools.map(({ name }, at): Column<PlanRow> => ({
      head: name,
      key: name,
      value: ({ counts }) => counts[at],
      text: ({ counts }) => String(counts[at]),
    })),
    { head: 'machines', key: 'machines', value: ({ machines }) => machines, text: ({ machines }) => String(machines) },
    { head: 'chips', key: 'chips', value: ({ chips }) => chips, text: ({ chips }) => String(chips) },
    {
      head: 'usd/h',
      key: 'usd_per_hour',
      value: ({ usdPerHour }) => usdPerHour,
      text: ({ usdPerHour }) => (usdPerHour === undefined ? '-' : usdPerHour.toFixed(2)),
    },
    {
      head: 'TDP kW',
      key: 'tdp_watts',
      value: ({ tdpWatts }) => tdpWatts,
      text: ({ tdpWatts }) => (tdpWatts === undefined ? '-' : (tdpWatts / 1000).toFixed(1)),
    },
  ];
  columns.push({
    head: 'in H100 machines',
    key: 'cost_h100_machines',
    value: ({ costH100 }) => costH100,
    text: ({ costH100 }) => (costH100 === undefined ? '-' : costH100.toFixed(1)),
  });
  columns.push(bindsColumn());
  if (flags.json)
    print(
      `${JSON.stringify({ slo: question.slo.name, rows: records(rows, columns), holds_with_fresh_seeds: holds }, null, 2)}\n`,
    );
  else print(flags.csv ? csvTable(rows, columns) : textTable(rows, columns));
  if (flags.report !== undefined) {
    await writeSimulationReport(flags.report, {
      title: `The fewest machines that meet ${question.slo.name}`,
      lead: `${path}: plans of which none can be smaller, the cheapest first.`,
      figures: [],
      tables: [{ title: 'Plans', rows, columns }],
      remarks: [holds ? HOLDS : EDGE],
    });
  }
  if (!(flags.quiet ?? false)) {
    remark(holds ? HOLDS : EDGE);
    remark(afterwards(file));
  }
  return EXIT.ok;
}

const HOLDS = 'the first plan meets the SLO with fresh seeds too';
const EDGE = 'the first plan misses the SLO with fresh seeds: it is at the edge; take a machine more, or more --seeds';

/** How a machine that does both phases is served by this engine, and how the plan is checked there. */
function afterwards({ model, pools }: ClusterFile): string {
  const pool = pools.find(({ role }) => role === 'both');
  if (pool === undefined)
    return 'this engine serves both phases on a machine; a plan of machines apart is for one that splits them';
  const options = `--policy ${pool.policy} --max-num-seqs ${pool.max_sequences}`;
  return `to serve it, on each machine: ridgepoint serve ${model} ${options}; to check it there: ridgepoint bench serve ${model} ${options} --output serve.json, then ridgepoint simulate replay serve.json`;
}

/** Far from every seed that somebody asks for. */
const FRESH = 1_000_003;
