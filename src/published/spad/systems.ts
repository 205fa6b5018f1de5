import {
  clusterCost,
  type ClusterCost,
  type SpadMachine,
  type SpadMachineCounts,
} from '../../roofline/predict/spad.js';
import { POLICIES } from '../../scheduler/policies/index.js';
import { aloneOn } from '../../simulator/alone.js';
import type { Cluster, Pool, Role } from '../../simulator/cluster.js';
import { machinePool, transferOf } from '../../simulator/machine-pool.js';
import type { SimulatedRequest } from '../../simulator/request.js';
import { frontier } from '../../simulator/search.js';
import { parseSlo, type Alone } from '../../simulator/slo.js';
import { trial } from '../../simulator/trial.js';
import { predictorOf } from '../seeds/subjects.js';
import type { Predictor } from '../../roofline/predict/predictor.js';

/** The clusters that SPAD compares, of machines of eight chips. */
export const SYSTEMS = {
  Sarathi: { both: 'h100' },
  'Splitwise-homo': { prefill: 'h100', decode: 'h100' },
  'Splitwise-hetero': { prefill: 'h100', decode: 'a100' },
  'Splitwise-pcap': { prefill: 'h100', decode: 'pcap' },
  SPAD: { prefill: 'prefill', decode: 'decode' },
} as const satisfies Record<string, Partial<Record<Role, SpadMachine>>>;
export type SystemName = keyof typeof SYSTEMS;
export const SYSTEM_NAMES = Object.keys(SYSTEMS) as readonly SystemName[];

export const HARDWARE: Readonly<Record<SpadMachine, string>> = {
  prefill: 'spad-prefill',
  decode: 'spad-decode',
  h100: 'h100-sxm',
  a100: 'a100-80',
  pcap: 'h100-capped',
};

/** Of BLOOM-176B in f16, as in all of the paper's clusters that it prints counts of. */
const bloomOn = (machine: SpadMachine): Predictor =>
  predictorOf('bloom-176b', HARDWARE[machine], { tensorParallel: 8 });
export type PredictorOn = (machine: SpadMachine) => Predictor;

/** A network of 400 Gb/s for each chip. */
const LINK = 50e9;
const STEP_TOKENS = 2048;
/** Prompt tokens that Sarathi puts beside rows that decode: the largest power of two whose step stays within two of decoding. */
const CHUNK = 256;
const ROUTER = { prefill: 'least-tokens', decode: 'least-kv' } as const;

export function poolOf(on: PredictorOn, role: Role, machine: SpadMachine, count: number, kvTokens?: number): Pool {
  const policy = role === 'prefill' ? POLICIES['prefill-first'] : POLICIES.chunked;
  const chunk = role === 'both' ? CHUNK : undefined;
  return machinePool(on(machine), {
    name: role,
    role,
    count,
    policy,
    chunk,
    stepTokens: STEP_TOKENS,
    maxSequences: 512,
    linkBytesPerSecond: LINK,
    kvTokens,
  });
}

export const clusterOf = (on: PredictorOn, pools: readonly Pool[]): Cluster => ({
  router: ROUTER,
  pools,
  transfer: transferOf(on('h100'), { latency: 5e-5, mode: 'layerwise', overlap: 0.9, shared: true }),
});

/** What a request takes alone on a machine of H100s. */
export const aloneOnH100 = (on: PredictorOn = bloomOn, kvTokens?: number): Alone =>
  aloneOn(poolOf(on, 'prefill', 'h100', 1, kvTokens));

/** Machines of each role; a machine that does both counts as `both`. */
export interface Plan {
  readonly roles: Readonly<Partial<Record<Role, number>>>;
  readonly machines: SpadMachineCounts;
  readonly cost: ClusterCost;
}

export interface PlanGoal {
  readonly slo: string;
  /** Requests of each seed; a plan meets the SLO with all of them. */
  readonly requests: readonly (readonly SimulatedRequest[])[];
  readonly alone: Alone;
  readonly turn: () => Promise<void>;
}

const MOST = 48;

/** The cheapest cluster of a system that meets an SLO, by hardware; undefined where none of up to 48 machines a pool does. */
export async function cheapest(
  system: SystemName,
  { slo, requests, alone, turn }: PlanGoal,
  on: PredictorOn = bloomOn,
): Promise<Plan | undefined> {
  const roles = Object.entries(SYSTEMS[system]) as [Role, SpadMachine][];
  const pools = roles.map(([role, machine]) => poolOf(on, role, machine, 1));
  const planOf = (counts: readonly number[]): Plan => {
    const machines: Partial<Record<SpadMachine, number>> = {};
    roles.forEach(([, machine], at) => (machines[machine] = (machines[machine] ?? 0) + counts[at]));
    return {
      roles: Object.fromEntries(roles.map(([role], at) => [role, counts[at]])),
      machines,
      cost: clusterCost(machines),
    };
  };
  let best: Plan | undefined;
  const meets = async (counts: readonly number[]): Promise<boolean> => {
    const cluster = clusterOf(
      on,
      pools.map((pool, at) => ({ ...pool, count: counts[at] })),
    );
    let met = true;
    for (const each of requests) met &&= (await trial(cluster, each, { slo: parseSlo(slo), alone }, { turn })).met;
    const plan = planOf(counts);
    if (met && (best === undefined || plan.cost.cost < best.cost.cost)) best = plan;
    return met;
  };
  if (roles.length === 1) {
    await frontier({ first: 1, second: MOST }, ({ second }) => meets([second]));
    return best;
  }
  // Who is as dear with one machine of the second kind is not asked.
  const worth = ({ first }: { first: number }): boolean =>
    best === undefined || planOf([first, 1]).cost.cost < best.cost.cost;
  await frontier({ first: MOST, second: MOST }, ({ first, second }) => meets([first, second]), { worth });
  return best;
}
