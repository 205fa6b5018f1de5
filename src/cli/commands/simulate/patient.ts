import type { Cluster } from '../../../simulator/cluster.js';
import type { SimulatedRequest } from '../../../simulator/request.js';
import type { Simulation } from '../../../simulator/outcome.js';
import type { SimulationOptions } from '../../../simulator/simulation-options.js';
import { beginSimulation } from '../../../simulator/simulation.js';
import { stopSignal } from '../../run.js';

/** Events between two looks at whether somebody pressed Ctrl-C: some tens of milliseconds. */
const EVENTS = 2000;

/** A turn for signals. @throws where one has come that asks to stop */
export async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  stopSignal.throwIfAborted();
}

/** Simulates, giving signals a turn now and then; what there is when one comes is the result. */
export async function simulatePatiently(
  cluster: Cluster,
  requests: readonly SimulatedRequest[],
  options?: SimulationOptions,
): Promise<Simulation> {
  const run = beginSimulation(cluster, requests, options);
  while (run.advance(EVENTS)) {
    await new Promise((resolve) => setImmediate(resolve));
    if (stopSignal.aborted) break;
  }
  return run.result();
}
