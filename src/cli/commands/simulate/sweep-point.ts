import { simulate } from '../../../simulator/simulation.js';
import { buildCluster } from './build-cluster.js';
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

export async function runPoint({ point, path }: SweepTask): Promise<OutcomeRow> {
  const { cluster: file, flags } = await resolvePoint(point, path);
  const built = await buildCluster(file);
  const load = await simulatedLoadOf(flags, file.pools[0].block_tokens);
  const seed = flags.seed ?? 0;
  const simulation = simulate(built.cluster, load(seed), { seed, keepTokens: false });
  return outcomeRow(simulation, built, flags.slo);
}
