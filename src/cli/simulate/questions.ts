import { aloneOn } from '../../simulator/alone.js';
import type { Cluster, Pool } from '../../simulator/cluster.js';
import { frontier, highestGood, type Counts } from '../../simulator/search.js';
import { judge, type Alone, type Slo, type SloFinding } from '../../simulator/slo.js';
import { overloaded } from '../../simulator/summary.js';
import { RidgepointError } from '../../errors.js';
import { csvTable, records, textTable, type Column } from '../predict/table.js';
import { print, status } from '../output.js';
import { EXIT, stopSignal } from '../run.js';
import { remark } from '../style.js';
import { buildCluster, readCluster } from './build-cluster.js';
import { loadOf, type LoadOf } from './load.js';
import type { SimulateFlags } from './options.js';
import { simulatePatiently } from './patient.js';
import { sloColumns } from './run.js';

/** What the questions ask of a cluster: whether it meets an SLO under a load, at every seed. */
interface Question {
  readonly slo: Slo;
  readonly alone: Alone | undefined;
  readonly seeds: readonly number[];
}

interface Verdict {
  readonly met: boolean;
  /** Of the seed that did worst at each limit. */
  readonly findings: readonly SloFinding[];
}

async function verdictOf(cluster: Cluster, load: LoadOf, { slo, alone, seeds }: Question): Promise<Verdict> {
  let worst: SloFinding[] | undefined;
  for (const seed of seeds) {
    const { traces } = await simulatePatiently(cluster, load(seed), { seed, keepTokens: false });
    stopSignal.throwIfAborted();
    const findings = judge(slo, traces, alone);
    const endless = overloaded(traces);
    worst = findings.map((finding, at) => {
      const found = endless ? Infinity : Math.max(finding.found, worst?.[at].found ?? 0);
      return { ...finding, found, met: found <= finding.most };
    });
    // One seed that misses decides.
    if (worst.some(({ met }) => !met)) break;
  }
  return { met: worst!.every(({ met }) => met), findings: worst! };
}

function questionOf(reference: Pool, flags: SimulateFlags): Question {
  const { slo, seed = 0, seeds = 1 } = flags;
  if (slo === undefined)
    throw new RidgepointError(
      'usage',
      'say what has to be met: --slo spad:normal, or limits such as --slo ttft:p90:500,tbt:p99:50',
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
}

/** `ridgepoint simulate capacity`: the highest rate that meets an SLO. */
export async function capacityCommand(path: string, flags: SimulateFlags): Promise<number> {
  if (flags.rate !== undefined) throw new RidgepointError('usage', '--rate is what capacity finds; leave it out');
  const file = await readCluster(path);
  const { cluster, chips, reference } = await buildCluster(file);
  const question = questionOf(reference, flags);
  const tell = !(flags.quiet ?? false);
  let verdict: Verdict | undefined;
  const rate = await highestGood(LOWEST_RATE, PRECISION, async (rate) => {
    if (tell && process.stderr.isTTY) status(`${rate.toFixed(2)} requests/s ...`);
    const found = await verdictOf(cluster, await loadOf({ ...flags, rate }, file.pools[0].block_tokens), question);
    if (found.met) verdict = found;
    return found.met;
  });
  if (tell && process.stderr.isTTY) status();
  if (rate === undefined) {
    throw new RidgepointError(
      'usage',
      `even ${LOWEST_RATE} requests/s miss ${question.slo.name}: no rate meets it on this cluster`,
    );
  }
  const machines = cluster.pools.reduce((sum, { count }) => sum + count, 0);
  const row: CapacityRow = { rate, perMachine: rate / machines, perChip: rate / chips };
  const columns: Column<CapacityRow>[] = [
    { head: 'requests/s', key: 'requests_per_s', value: ({ rate }) => rate, text: ({ rate }) => rate.toPrecision(3) },
    {
      head: 'a machine',
      key: 'per_machine',
      value: ({ perMachine }) => perMachine,
      text: ({ perMachine }) => perMachine.toPrecision(3),
    },
    { head: 'a chip', key: 'per_chip', value: ({ perChip }) => perChip, text: ({ perChip }) => perChip.toPrecision(3) },
  ];
  const limits = verdict!.findings.map((finding) => ({ ...finding, kind: question.slo.kind }));
  if (flags.json)
    print(
      `${JSON.stringify({ slo: question.slo.name, rows: records([row], columns), limits: records(limits, sloColumns) }, null, 2)}\n`,
    );
  else print(flags.csv ? csvTable([row], columns) : `${textTable([row], columns)}\n${textTable(limits, sloColumns)}`);
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
}

/** `ridgepoint simulate provision`: the fewest machines that meet an SLO. */
export async function provisionCommand(
  path: string,
  flags: SimulateFlags & { readonly most?: number },
): Promise<number> {
  const { most = 40 } = flags;
  const file = await readCluster(path);
  const built = await buildCluster(file);
  const { pools } = built.cluster;
  if (pools.length > 2)
    throw new RidgepointError(
      'usage',
      `${path}: provision counts machines of one pool or two, and there are ${pools.length}`,
    );
  const load = await loadOf(flags, file.pools[0].block_tokens);
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
    throw new RidgepointError('usage', `${most} machines of each pool miss ${question.slo.name}; allow more by --most`);
  const rows = edge.map((counts): PlanRow => {
    const sum = (value: (at: number) => number | undefined): number | undefined =>
      counts.reduce<number | undefined>((total, count, at) => {
        const each = value(at);
        return total === undefined || each === undefined ? undefined : total + count * file.pools[at].chips * each;
      }, 0);
    const hardware = (at: number) => built.predictors.get(pools[at].name)!.hardware;
    return {
      counts,
      machines: counts.reduce((total, count) => total + count, 0),
      chips: sum(() => 1)!,
      usdPerHour: sum((at) => hardware(at).pricePerHour?.value),
      tdpWatts: sum((at) => hardware(at).tdpWatts),
    };
  });
  rows.sort((a, b) => (a.usdPerHour ?? 0) - (b.usdPerHour ?? 0) || a.machines - b.machines);
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
  if (flags.json)
    print(
      `${JSON.stringify({ slo: question.slo.name, rows: records(rows, columns), holds_with_fresh_seeds: holds }, null, 2)}\n`,
    );
  else print(flags.csv ? csvTable(rows, columns) : textTable(rows, columns));
  if (!(flags.quiet ?? false)) {
    remark(
      holds
        ? 'the first plan meets the SLO with fresh seeds too'
        : 'the first plan misses the SLO with fresh seeds: it is at the edge; take a machine more, or more --seeds',
    );
  }
  return EXIT.ok;
}

/** Far from every seed that somebody asks for. */
const FRESH = 1_000_003;
