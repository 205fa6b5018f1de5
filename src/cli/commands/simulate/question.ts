import { aloneOn } from '../../../simulator/alone.js';
import type { Bind } from '../../../simulator/binds.js';
import type { Cluster, Pool } from '../../../simulator/cluster.js';
import type { Alone, Slo } from '../../../simulator/slo.js';
import { trial, type Verdict } from '../../../simulator/trial.js';
import { RidgepointError } from '../../../errors.js';
import { type Column } from '../../terminal/table.js';
import { type LoadOf } from './load.js';
import { option, words } from '../../../wording.js';
import { SIMULATE } from './flags.js';
import { refuseSimulate, type SimulateFlags } from './options.js';
import { stopSignal } from '../../run.js';
import { turn } from './patient.js';

/** What the questions ask of a cluster: whether it meets an SLO under a load, at every seed. */
export interface SloQuestion {
  readonly slo: Slo;
  readonly alone: Alone | undefined;
  readonly seeds: readonly number[];
  /** Requests that come earlier do not count. Seconds. */
  readonly from: number;
}

/** Of the seed that did worst at each limit. */
export async function verdictOf(
  cluster: Cluster,
  load: LoadOf,
  { slo, alone, seeds, from }: SloQuestion,
): Promise<Verdict> {
  let worst: Verdict | undefined;
  for (const seed of seeds) {
    const { findings } = await trial(cluster, load(seed), { slo, alone, from }, { seed, turn });
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

export function questionOf(reference: Pool, flags: SimulateFlags): SloQuestion {
  const { slo, seed = SIMULATE.load.seed.default, seeds = SIMULATE.load.seeds.default } = flags;
  if (slo === undefined)
    throw new RidgepointError(
      'usage',
      words`say what has to be met: ${option('simulate.slo', 'spad:normal')}, or limits such as ${option('simulate.slo', 'ttft:p90:500,tbt:p99:50')}`,
      { option: 'simulate.slo' },
    );
  const { warmup = 'none' } = flags;
  if (warmup === 'mser-5')
    return refuseSimulate(
      'simulate.warmup',
      'mser-5 needs runs to their end, and searches give them up early; say seconds',
    );
  return {
    slo,
    from: warmup === 'none' ? 0 : warmup,
    alone: slo.kind === 'ms' ? undefined : aloneOn(reference),
    seeds: Array.from({ length: seeds }, (_, at) => seed + at),
  };
}

/** What keeps an answer from being better. */
export const bindsColumn = <Row extends { readonly binds: Bind | undefined }>(): Column<Row> => ({
  head: 'binds',
  key: 'binds',
  value: ({ binds }) => binds,
  text: ({ binds }) => binds ?? '-',
});

/**
 * What a search comes to, or where somebody asked to stop, what it had found until then.
 *
 * @throws what the search throws, if that is nothing
 */
export async function foundUntilStopped<Found>(
  search: () => Promise<Found>,
  soFar: () => Found | undefined,
): Promise<Found> {
  try {
    return await search();
  } catch (error) {
    const found = stopSignal.aborted ? soFar() : undefined;
    if (found === undefined) throw error;
    return found;
  }
}
