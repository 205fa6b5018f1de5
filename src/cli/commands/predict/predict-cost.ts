import {
  clusterCost,
  costOf,
  H100_WATTS,
  MACHINES,
  PCAP_WATTS,
  SPAD_CHIPS,
  type ChipDesign,
  type SpadMachineCounts,
} from '../../../roofline/predict/spad.js';
import type { FlagsIn } from '../../options/command-table.js';
import { EXIT } from '../../run.js';
import { print } from '../../terminal/output.js';
import { aligned } from '../../terminal/table.js';
import type { PREDICT } from './flags.js';
import { refusePredict, type PredictOption } from './options.js';

/** A chip is one of the paper's, which the options below it change: `h100` when neither a chip nor a die is given. */
export interface PredictCostOptions extends FlagsIn<typeof PREDICT.chip> {
  readonly json?: boolean;
  /** Where the text goes; standard output when absent. */
  readonly write?: (text: string) => void;
}

/**
 * Prints what a chip costs and draws by SPAD's formulas, and a cluster from its machine counts.
 *
 * @returns the exit code
 * @throws RidgepointError `usage` for an option that does not do
 */
export function predictCost(options: PredictCostOptions): Promise<number> {
  const { chip: name, die, memory, memoryType, bandwidth, packages, price } = options;
  const given = [name, die, memory, memoryType, bandwidth, packages, price].some((option) => option !== undefined);
  const wantsChip = given || options.cluster === undefined;
  const chip = wantsChip ? chipOf(options) : undefined;
  const memoryPrice = price === undefined || chip === undefined ? {} : { [chip.memory]: price };
  const cost = chip && costOf(chip, memoryPrice);
  const counts = options.cluster;
  if (counts !== undefined && !Object.values(counts).some((count) => count > 0))
    refusePredict('predict.cluster', 'must be at least one machine');
  const cluster = counts && clusterCost(counts);
  const text = options.json
    ? `${JSON.stringify({ chip, cost, counts, cluster }, null, 2)}\n`
    : [chip && cost && describeChip(chip, cost), counts && cluster && describeCluster(counts, cluster), NOTE]
        .filter((part) => part !== undefined)
        .join('\n\n') + '\n';
  (options.write ?? print)(text);
  return Promise.resolve(EXIT.ok);
}

const NOTE =
  'By SPAD’s formulas (section 6.1): dies on a 300 mm wafer of $20,000, no yield, no packaging; power at an H100 die’s\n' +
  'watts a mm², 30 W an HBM package, 4.5 pJ a bit of GDDR7, 10% on top.';

function chipOf(options: PredictCostOptions): ChipDesign {
  const name = options.chip ?? (options.die === undefined ? 'h100' : undefined);
  const base: ChipDesign | undefined = name === undefined ? undefined : SPAD_CHIPS[name];
  const memory = options.memoryType ?? base?.memory ?? 'hbm3';
  const sameMemory = base !== undefined && base.memory === memory;
  const dieMm2 = needed('predict.die', options.die ?? base?.dieMm2, 'a die area in mm²');
  const memoryGB = needed('predict.memory', options.memory ?? base?.memoryGB, 'gigabytes of memory');
  const given = options.bandwidth ?? (sameMemory ? base.bandwidthGBs : undefined);
  const packages = options.packages ?? (sameMemory && options.memory === undefined ? base.packages : undefined);
  if (dieMm2 >= 10_000)
    refusePredict('predict.die', `must be a die area below 10000 mm², a fraction of a wafer, found ${dieMm2}`);
  // HBM's power does not depend on it.
  const bandwidthGBs =
    memory === 'gddr7' ? needed('predict.bandwidth', given, 'GB/s, for the power of GDDR7') : (given ?? 0);
  return { dieMm2, memoryGB, memory, bandwidthGBs, packages };
}

const needed = (name: PredictOption, value: number | undefined, what: string): number =>
  value ?? refusePredict(name, `is missing: ${what}`);

const dollars = (value: number) => `$${value.toLocaleString('en-US', { maximumFractionDigits: 0 })}`;
const share = (value: number) => `${value.toFixed(3)} of an H100`;

const rowsOf = (rows: readonly (readonly [string, string, string])[]): string =>
  aligned(rows, [false, true])
    .map((line) => `  ${line}`)
    .join('\n');

function describeChip(chip: ChipDesign, cost: ReturnType<typeof costOf>): string {
  const bandwidth = chip.bandwidthGBs > 0 ? `, ${chip.bandwidthGBs} GB/s` : '';
  const perGB = dollars(cost.memoryDollars / chip.memoryGB);
  const rows: [string, string, string][] = [
    ['die', dollars(cost.dieDollars), `${cost.diesPerWafer.toFixed(2)} on a wafer`],
    ['memory', dollars(cost.memoryDollars), `${perGB} a GB`],
    ['chip', dollars(cost.dollars), share(cost.relativeDollars)],
    ['die power', `${cost.dieWatts.toFixed(0)} W`, ''],
    ['memory power', `${cost.memoryWatts.toFixed(0)} W`, ''],
    ['TDP', `${cost.watts.toFixed(0)} W`, share(cost.relativeWatts)],
  ];
  return `${chip.dieMm2} mm², ${chip.memoryGB} GB ${chip.memory.toUpperCase()}${bandwidth}\n${rowsOf(rows)}`;
}

function describeCluster(counts: SpadMachineCounts, cluster: ReturnType<typeof clusterCost>): string {
  const parts = MACHINES.flatMap((machine) => (counts[machine] ? [`${counts[machine]} ${machine}`] : []));
  const h100 = costOf(SPAD_CHIPS.h100);
  const rows: [string, string, string][] = [
    ['cost', cluster.cost.toFixed(1), `machines of 8 H100s, or ${dollars(cluster.cost * 8 * h100.dollars)}`],
    ['TDP', cluster.tdp.toFixed(1), `machines of 8 H100s, or ${((cluster.tdp * 8 * H100_WATTS) / 1e3).toFixed(1)} kW`],
  ];
  const notes = [
    counts.a100 ? '  An A100 counts as half an H100 in both, as the paper has it.' : undefined,
    counts.pcap ? `  pcap is an H100 capped at ${PCAP_WATTS} W, at its full price.` : undefined,
  ].filter((note) => note !== undefined);
  return [`${parts.join(' + ')} = ${cluster.machines} machines of 8 chips`, rowsOf(rows), ...notes].join('\n');
}
