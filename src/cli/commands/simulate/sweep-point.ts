import type { SimulatedRequest } from '../../../simulator/request.js';
import { simulate } from '../../../simulator/simulation.js';
import type { Slo } from '../../../simulator/slo.js';
import { warmupOf, type Warmup } from '../../../simulator/warmup.js';
import { buildCluster, type BuiltCluster } from './build-cluster.js';
import { simulatedLoadOf } from './load.js';
import { outcomeRow, type OutcomeRow } from './outcome-row.js';
import { resolvePoint, type StudyPoint } from './study.js';

/** What a thread is asked. */
export interface SweepTask {
  readonly point: StudyPoint;
  /** Of the study, which files are beside. */
  readonly path: string;
}

export type SweepAnswer = { readonly outcome: OutcomeRow } | { readonly error: string };

/** What a point simulates. */
interface PointRun {
  readonly built: BuiltCluster;
  readonly requests: readonly SimulatedRequest[];
  readonly seed: number;
  readonly slo: Slo | undefined;
  readonly warmup: Warmup;
}

export async function pointRun({ point, path }: SweepTask): Promise<PointRun> {
  const { cluster: file, flags } = await resolvePoint(point, path);
  const built = await buildCluster(file);
  const load = await simulatedLoadOf(flags, built.cluster.pools[0].blockTokens);
  const seed = flags.seed ?? 0;
  return { built, requests: load(seed), seed, slo: flags.slo, warmup: flags.warmup ?? 'none' };
}

export async function runPoint(task: SweepTask): Promise<OutcomeRow> {
  const { built, requests, seed, slo, warmup } = await pointRun(task);
  const simulation = simulate(built.cluster, requests, { seed, keepTokens: false });
  return outcomeRow(simulation, built, slo, { cut: warmupOf(simulation.traces, warmup) });
}
