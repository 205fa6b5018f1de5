import type { TextKind } from '../../../engine/options/kinds.js';
import { clusterCost, type ClusterCost, type SpadMachine } from '../../../roofline/predict/spad.js';
import type { BuiltCluster } from './build-cluster.js';

/** Dollars an hour of a chip, by its id in the catalogue. */
export type Prices = ReadonlyMap<string, number>;

export const chipPrices: TextKind<Prices> = {
  wanted: 'dollars an hour of a chip such as h100-sxm=2.5,l40s=0.8',
  read(given) {
    const prices = given.split(',').map((part): [string, number] | undefined => {
      const [chip, price, ...rest] = part.split('=');
      const value = Number(price);
      return chip.trim() === '' || !(value > 0) || rest.length > 0 ? undefined : [chip.trim(), value];
    });
    return prices.every((price) => price !== undefined) ? new Map(prices) : undefined;
  },
};

export interface Charge {
  /** Of all chips; undefined where one has no price. */
  readonly usdPerHour: number | undefined;
  readonly tdpWatts: number | undefined;
  /** In machines of eight H100s, by SPAD's formulas; undefined where a machine is none of its kinds. */
  readonly spad: ClusterCost | undefined;
}

const SPAD: Readonly<Record<string, SpadMachine>> = {
  'spad-prefill': 'prefill',
  'spad-decode': 'decode',
  'h100-sxm': 'h100',
  'a100-80': 'a100',
  'h100-capped': 'pcap',
};

/** What a cluster costs an hour and may draw. @param counts of the pools' machines, where not their own */
export function chargeOf(
  { cluster, predictors }: Pick<BuiltCluster, 'cluster' | 'predictors'>,
  prices: Prices = new Map(),
  counts: readonly number[] = cluster.pools.map(({ count }) => count),
): Charge {
  let [usdPerHour, tdpWatts]: (number | undefined)[] = [0, 0];
  let machines: Partial<Record<SpadMachine, number>> | undefined = {};
  cluster.pools.forEach(({ name }, at) => {
    const { hardware, chips } = predictors.get(name)!;
    const all = counts[at] * chips;
    const price = prices.get(hardware.id) ?? hardware.pricePerHour?.value;
    usdPerHour = usdPerHour === undefined || price === undefined ? undefined : usdPerHour + all * price;
    tdpWatts =
      tdpWatts === undefined || hardware.tdpWatts === undefined ? undefined : tdpWatts + all * hardware.tdpWatts;
    const machine = SPAD[hardware.id];
    if (machine === undefined || machines === undefined) machines = undefined;
    // The formulas are of machines of eight chips.
    else machines = { ...machines, [machine]: (machines[machine] ?? 0) + all / 8 };
  });
  return { usdPerHour, tdpWatts, spad: machines && clusterCost(machines) };
}
