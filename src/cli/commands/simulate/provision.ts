import type { Bind } from '../../../simulator/binds.js';
import type { Cluster } from '../../../simulator/cluster.js';
import { frontier, type Counts } from '../../../simulator/search.js';
import type { ClusterFile } from '../../../simulator/cluster-file.js';
import { RidgepointError } from '../../../errors.js';
import { csvTable, records, textTable, type Column } from '../../terminal/table.js';
import { print, status } from '../../terminal/output.js';
import { EXIT, stopSignal } from '../../run.js';
import { remark } from '../../terminal/style.js';
import { bindsOfAnswer } from './answer-run.js';
import { buildCluster, readCluster, withFirstToken } from './build-cluster.js';
import { simulatedLoadOf } from './load.js';
import { chargeOf } from './charges.js';
import type { FlagsIn } from '../../options/command-table.js';
import { option, words } from '../../../wording.js';
import { SIMULATE } from './flags.js';
import { refuseSimulate, type SimulateFlags } from './options.js';
import { writeSimulationReport } from './report/write.js';
import { clusterOfPools } from './pools.js';
import { bindsColumn, questionOf, foundUntilStopped, verdictOf } from './question.js';

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
  path: string | undefined,
  flags: SimulateFlags & FlagsIn<typeof SIMULATE.provision>,
): Promise<number> {
  const { most = SIMULATE.provision.most.default } = flags;
  const file = withFirstToken(await clusterAsked(path, flags), flags.firstTokenAt);
  const name = path ?? SIMULATE.provision.pools.kind.show!(flags.pools!);
  const built = await buildCluster(file);
  const { pools } = built.cluster;
  if (pools.length > 2)
    throw new RidgepointError(
      'usage',
      `${name}: provision counts machines of one pool or two, and there are ${pools.length}`,
    );
  const load = await simulatedLoadOf(flags, built.cluster.pools[0].blockTokens);
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
  const single = pools.length === 1;
  const enough: Counts[] = [];
  const isEnough = async ({ first, second }: Counts): Promise<boolean> => {
    const met = await meets(single ? [first] : [first, second]);
    if (met) enough.push({ first, second });
    return met;
  };
  const found = await foundUntilStopped(
    () => frontier({ first: most, second: single ? 1 : most }, isEnough),
    () => (enough.length === 0 ? undefined : smallest(enough)),
  );
  const edge = single
    ? found.slice(0, 1).map(({ first }) => [first])
    : found.map(({ first, second }) => [first, second]);
  const stopped = stopSignal.aborted;
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
    const binds = stopped
      ? undefined
      : await bindsOfAnswer(built, withCounts(plan.counts), load(seed), { seed, window });
    rows.push({ ...plan, binds });
  }
  // Seeds a plan was found with may have been kind to it.
  const fresh = question.seeds.map((seed) => seed + FRESH);
  const holds = stopped ? undefined : await meets(rows[0].counts, fresh);
  const said = stopped ? STOPPED : holds ? HOLDS : EDGE;
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
      lead: `${name}: plans of which none can be smaller, the cheapest first.`,
      figures: [],
      tables: [{ title: 'Plans', rows, columns }],
      remarks: [said],
    });
  }
  if (!(flags.quiet ?? false)) {
    remark(said);
    remark(afterwards(file));
  }
  return EXIT.ok;
}

/** @throws RidgepointError ('usage') where neither a file nor pools are given, or both */
function clusterAsked(
  path: string | undefined,
  { pools, model, weights }: FlagsIn<typeof SIMULATE.provision>,
): ClusterFile | Promise<ClusterFile> {
  if (path !== undefined) {
    if (pools !== undefined) refuseSimulate('simulate.pools', `does not go with ${path}, which says its pools`);
    if (model !== undefined) refuseSimulate('simulate.model', `does not go with ${path}, which says its model`);
    if (weights !== undefined) refuseSimulate('simulate.weights', `does not go with ${path}, which says its weights`);
    return readCluster(path);
  }
  if (pools === undefined)
    throw new RidgepointError(
      'usage',
      words`say which machines: a cluster file, or ${option('simulate.pools')} and ${option('simulate.model')}`,
      { option: 'simulate.pools' },
    );
  if (model === undefined)
    return refuseSimulate('simulate.model', 'is not given; say which model, as "predict list" does');
  return clusterOfPools(pools, model, weights);
}

const HOLDS = 'the first plan meets the SLO with fresh seeds too';
const STOPPED = 'stopped; these plans meet the SLO, and smaller ones were not tried to the end';
const EDGE = 'the first plan misses the SLO with fresh seeds: it is at the edge; take a machine more, or more --seeds';

/** Those that none of the others is as small as. */
const smallest = (all: readonly Counts[]): Counts[] =>
  all.filter((one) => !all.some((other) => other !== one && other.first <= one.first && other.second <= one.second));

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
