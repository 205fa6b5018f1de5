import type { Cluster, Pool } from './cluster.js';
import type { SimulatedRequest } from './request.js';
import { simulate } from './simulation.js';
import type { Alone, SloMeasure } from './slo.js';

/** What a request takes alone on one machine of a pool, both phases there; each pair of lengths is simulated once. */
export function aloneOn(pool: Pool): Alone {
  const machine: Cluster = {
    pools: [{ ...pool, role: 'both', count: 1 }],
    router: { prefill: 'round-robin', decode: 'round-robin' },
  };
  const known = new Map<string, Record<SloMeasure, number>>();
  return ({ promptTokens, outputTokens }: SimulatedRequest) => {
    const key = `${promptTokens} ${outputTokens}`;
    let times = known.get(key);
    if (times === undefined) {
      const requests = [{ index: 0, arrival: 0, promptTokens, outputTokens }];
      const [{ ttft, tpot, e2e }] = simulate(machine, requests, { keepTokens: false }).traces;
      known.set(key, (times = { ttft, tbt: tpot, e2e }));
    }
    return times;
  };
}
