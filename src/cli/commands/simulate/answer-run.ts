import { whereaboutsOf, type Bind } from '../../../simulator/binds.js';
import type { Cluster } from '../../../simulator/cluster.js';
import type { SimulatedRequest } from '../../../simulator/request.js';
import type { BuiltCluster } from './build-cluster.js';
import { bindsOf, summariesOf } from './outcome-row.js';
import { simulatePatiently } from './patient.js';
import type { Window } from './trace-window.js';
import { writeWindow } from './write-window.js';

/**
 * Runs what a search has found once more, to its end, to say what keeps it from being better: the searches themselves
 * stop as soon as they know whether an SLO is met.
 *
 * @param cluster with the machines of the answer
 * @param window of that run to write, if any
 * @returns undefined where the machines' work is not known
 */
export async function bindsOfAnswer(
  built: BuiltCluster,
  cluster: Cluster,
  requests: readonly SimulatedRequest[],
  { seed, window }: { readonly seed: number; readonly window: Window | undefined },
): Promise<Bind | undefined> {
  const keepSteps = window !== undefined;
  const simulation = await simulatePatiently(cluster, requests, { seed, keepTokens: false, keepSteps });
  if (window !== undefined) await writeWindow([{ simulation }], window);
  return bindsOf(whereaboutsOf(simulation), summariesOf(simulation, built), built);
}
