import type { TextKind } from '../../../engine/options/kinds.js';
import type { Role } from '../../../simulator/cluster.js';
import { clusterSchema, type ClusterFile } from '../../../simulator/cluster-file.js';

/** Machines of a role: chips, and how many share a model. */
export interface PoolOf {
  readonly role: Extract<Role, 'both' | 'prefill' | 'decode'>;
  readonly chips: number;
  readonly chip: string;
}

const POOL = /^(both|prefill|decode)=(?:(\d+)x)?([^=]+)$/;

/** `prefill=8xspad-prefill,decode=8xspad-decode`, or `both=h100-sxm`. */
export const poolsOf: TextKind<readonly PoolOf[]> = {
  wanted: 'roles and chips such as prefill=8xspad-prefill,decode=8xspad-decode or both=h100-sxm',
  read(given) {
    const pools = given.split(',').map((part): PoolOf | undefined => {
      const [, role, chips = '1', chip] = POOL.exec(part.trim()) ?? [];
      return Number(chips) > 0 && chip !== undefined
        ? { role: role as PoolOf['role'], chips: Number(chips), chip }
        : undefined;
    });
    const known = pools.filter((pool) => pool !== undefined);
    const roles = new Set(known.map(({ role }) => role));
    const whole = roles.has('both') ? roles.size === 1 : roles.has('prefill') && roles.has('decode');
    return known.length === pools.length && roles.size === known.length && whole ? known : undefined;
  },
  show: (pools) => pools.map(({ role, chips, chip }) => `${role}=${chips}x${chip}`).join(','),
};

/** How keys and values travel where no file says so: 400 Gb/s a chip, a layer at a time. */
const LINK = 50e9;
const LATENCY_MS = 0.05;

/** The cluster of such pools, with what a file would have by default. */
export function clusterOfPools(pools: readonly PoolOf[], model: string, weights: string | undefined): ClusterFile {
  return clusterSchema.parse({
    model,
    ...(weights !== undefined && { weights }),
    pools: pools.map(({ role, chips, chip }) => ({
      name: role,
      role,
      chips,
      chip,
      ...(role === 'prefill' && { policy: 'prefill-first' }),
    })),
    ...(pools.length > 1 && { transfer: { bytes_per_second_per_chip: LINK, latency_ms: LATENCY_MS } }),
  });
}
