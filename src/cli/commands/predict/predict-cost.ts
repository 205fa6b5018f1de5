import {
  clusterCost,
  costOf,
  H100_WATTS,
  MACHINES,
  MEMORY_TYPES,
  PCAP_WATTS,
  SPAD_CHIPS,
  type ChipDesign,
  type SpadMachineCounts,
  type MemoryType,
} from '../../../roofline/predict/spad.js';
import { RidgepointError } from '../../../errors.js';
import { refuseFlag } from '../../options/parse.js';
import { EXIT } from '../../run.js';
import { print } from '../../terminal/output.js';
import { aligned } from '../../terminal/table.js';

export interface PredictCostOptions {
  /** One of the paper's chips; the options below change it. `h100` when neither a chip nor a die is given. */
  readonly chip?: string;
  /** Die area, mm². */
  readonly die?: number;
  /** Memory, GB. */
  readonly memory?: number;
  /** `gddr7` or `hbm3`. */
  readonly memoryType?: string;
  /** Memory bandwidth, GB/s; GDDR7's power follows from it. */
  readonly bandwidth?: number;
  /** HBM packages; one for each 16 GB when absent. */
  readonly packages?: number;
  /** Dollars a GB of this memory. */
  readonly price?: number;
  /** Machines of eight chips: `prefill=18,decode=7`. */
  readonly cluster?: string;
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
  const counts = options.cluster === undefined ? undefined : parseCluster(options.cluster);
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
  if (name !== undefined && !Object.hasOwn(SPAD_CHIPS, name)) {
    refuseFlag('--chip', `one of ${Object.keys(SPAD_CHIPS).join(', ')}`, name);
  }
  const base: ChipDesign | undefined = name === undefined ? undefined : SPAD_CHIPS[name as keyof typeof SPAD_CHIPS];
  const memory = options.memoryType === undefined ? (base?.memory ?? 'hbm3') : parseMemory(options.memoryType);
  const sameMemory = base !== undefined && base.memory === memory;
  const dieMm2 = positive('--die', options.die ?? base?.dieMm2, 'a die area in mm²');
  const memoryGB = positive('--memory', options.memory ?? base?.memoryGB, 'gigabytes of memory');
  const bandwidthGBs = options.bandwidth ?? (sameMemory ? base.bandwidthGBs : undefined);
  const packages = options.packages ?? (sameMemory && options.memory === undefined ? base.packages : undefined);
  if (dieMm2 >= 10_000) refuseFlag('--die', 'a die area below 10000 mm², a fraction of a wafer', String(dieMm2));
  if (options.price !== undefined) positive('--price', options.price, 'dollars a GB');
  if (packages !== undefined) positive('--packages', packages, 'a number of packages');
  // HBM's power does not depend on it.
  const needed = memory === 'gddr7' ? positive('--bandwidth', bandwidthGBs, 'GB/s, for the power of GDDR7') : undefined;
  if (options.bandwidth !== undefined) positive('--bandwidth', options.bandwidth, 'GB/s');
  return { dieMm2, memoryGB, memory, bandwidthGBs: needed ?? bandwidthGBs ?? 0, packages };
}

function parseMemory(text: string): MemoryType {
  return (
    MEMORY_TYPES.find((type) => type === text) ?? refuseFlag('--memory-type', `one of ${MEMORY_TYPES.join(', ')}`, text)
  );
}

function positive(option: string, value: number | undefined, what: string): number {
  if (value === undefined) throw new RidgepointError('usage', `${option} is missing: ${what}`);
  return value > 0 && Number.isFinite(value) ? value : refuseFlag(option, `${what}, above 0`, String(value));
}

/** `prefill=18,decode=7` */
function parseCluster(text: string): SpadMachineCounts {
  const counts: SpadMachineCounts = {};
  for (const part of text.split(',')) {
    const [name, count] = part.split('=').map((side) => side.trim());
    const machine = MACHINES.find((known) => known === name);
    const wanted = `machines and counts, such as prefill=18,decode=7 (${MACHINES.join(', ')})`;
    if (machine === undefined || !/^\d+$/.test(count ?? '')) return refuseFlag('--cluster', wanted, text);
    counts[machine] = (counts[machine] ?? 0) + Number(count);
  }
  return Object.values(counts).some((count) => count > 0)
    ? counts
    : refuseFlag('--cluster', 'at least one machine', text);
}

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
