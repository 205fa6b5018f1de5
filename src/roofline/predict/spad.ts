/**
 * What a chip costs and draws, by the formulas of SPAD ("Specialized Prefill and Decode Hardware for Disaggregated LLM
 * Inference", section 6.1): a die's share of a wafer, memory by the gigabyte, power at the H100's power density.
 *
 * Not in it, there as here: yield, masks, packaging, design, networks, hosts. The die areas are the paper's estimates
 * with 10 % for white space already in them.
 */

export const MEMORY_TYPES = ['gddr7', 'hbm3'] as const;
export type MemoryType = (typeof MEMORY_TYPES)[number];

export interface ChipDesign {
  /** Die area at 4 nm, mm². */
  readonly dieMm2: number;
  readonly memoryGB: number;
  readonly memory: MemoryType;
  /** GB/s; GDDR's power follows from it. */
  readonly bandwidthGBs: number;
  /** HBM packages, whose power is counted each; 16 GB a package when absent. */
  readonly packages?: number;
}

/** The paper's assumptions. */
export const SPAD_ASSUMPTIONS = {
  waferDollars: 20_000,
  waferMm: 300,
  dollarsPerGB: { gddr7: 3, hbm3: 9 } as Readonly<Record<MemoryType, number>>,
  gddr7PicojoulesPerBit: 4.5,
  wattsPerHbmPackage: 30,
  hbmPackageGB: 16,
  /** Share of the TDP lost in voltage regulators and peripherals. */
  overhead: 0.1,
} as const;

/** The three chips of Table 3. */
export const SPAD_CHIPS = {
  prefill: { dieMm2: 784, memoryGB: 64, memory: 'gddr7', bandwidthGBs: 2048 },
  decode: { dieMm2: 520, memoryGB: 80, memory: 'hbm3', bandwidthGBs: 3352, packages: 5 },
  h100: { dieMm2: 814, memoryGB: 80, memory: 'hbm3', bandwidthGBs: 3352, packages: 5 },
} as const satisfies Record<string, ChipDesign>;

/** TDP of the H100 as NVIDIA states it; the power density comes from it. */
export const H100_WATTS = 700;

export interface ChipCost {
  readonly diesPerWafer: number;
  readonly dieDollars: number;
  readonly memoryDollars: number;
  readonly dollars: number;
  readonly dieWatts: number;
  readonly memoryWatts: number;
  /** TDP: die and memory, with the overhead on top. */
  readonly watts: number;
  /** Over an H100's, at the same prices. */
  readonly relativeDollars: number;
  readonly relativeWatts: number;
}

/** Dies that a wafer holds: its area in dies, less what the edge cuts off. Not rounded, as the paper's figures need. */
export function diesPerWafer(dieMm2: number, waferMm: number = SPAD_ASSUMPTIONS.waferMm): number {
  return (Math.PI * (waferMm / 2) ** 2) / dieMm2 - (Math.PI * waferMm) / Math.sqrt(2 * dieMm2);
}

function memoryWattsOf({ memory, memoryGB, bandwidthGBs, packages }: ChipDesign): number {
  if (memory === 'gddr7') return bandwidthGBs * 1e9 * 8 * SPAD_ASSUMPTIONS.gddr7PicojoulesPerBit * 1e-12;
  return SPAD_ASSUMPTIONS.wattsPerHbmPackage * (packages ?? Math.ceil(memoryGB / SPAD_ASSUMPTIONS.hbmPackageGB));
}

/** Watts of the H100's die alone: 480, which is 0.59 W/mm². */
export function h100DieWatts(): number {
  return H100_WATTS * (1 - SPAD_ASSUMPTIONS.overhead) - memoryWattsOf(SPAD_CHIPS.h100);
}

function absolute(chip: ChipDesign, dollarsPerGB: Readonly<Record<MemoryType, number>>) {
  const dies = diesPerWafer(chip.dieMm2);
  const dieDollars = SPAD_ASSUMPTIONS.waferDollars / dies;
  const memoryDollars = chip.memoryGB * dollarsPerGB[chip.memory];
  const dieWatts = (h100DieWatts() * chip.dieMm2) / SPAD_CHIPS.h100.dieMm2;
  const memoryWatts = memoryWattsOf(chip);
  const watts = (dieWatts + memoryWatts) / (1 - SPAD_ASSUMPTIONS.overhead);
  const dollars = dieDollars + memoryDollars;
  return { diesPerWafer: dies, dieDollars, memoryDollars, dollars, dieWatts, memoryWatts, watts };
}

/**
 * Cost and TDP of a chip.
 *
 * @param prices dollars a gigabyte, where they are not the paper's 3 (GDDR7) and 9 (HBM3)
 */
export function costOf(chip: ChipDesign, prices: Partial<Record<MemoryType, number>> = {}): ChipCost {
  const dollarsPerGB = { ...SPAD_ASSUMPTIONS.dollarsPerGB, ...prices };
  const own = absolute(chip, dollarsPerGB);
  const h100 = absolute(SPAD_CHIPS.h100, dollarsPerGB);
  return { ...own, relativeDollars: own.dollars / h100.dollars, relativeWatts: own.watts / h100.watts };
}

/** Kinds of machine, eight chips each, in the unit of one machine of eight H100s. */
export const MACHINES = ['prefill', 'decode', 'h100', 'a100', 'pcap'] as const;
export type SpadMachine = (typeof MACHINES)[number];
export type SpadMachineCounts = Partial<Record<SpadMachine, number>>;

export interface ClusterCost {
  readonly machines: number;
  /** Hardware cost in machines of eight H100s. */
  readonly cost: number;
  /** TDP in machines of eight H100s. */
  readonly tdp: number;
}

/** TDP of the hypothetical power-capped H100: the PCIe card's 350 W and 100 W for the memory and links of the other. */
export const PCAP_WATTS = 350 + 100;

/**
 * One machine's cost and TDP over those of eight H100s. The power of the two chips is taken in whole watts, as Table 3
 * prints it: the 13 % of Table 4 is 13.50 % with exact watts, which would have been printed as 14.
 */
export function machineCost(machine: SpadMachine): { cost: number; tdp: number } {
  if (machine === 'h100') return { cost: 1, tdp: 1 };
  if (machine === 'a100') return { cost: 0.5, tdp: 0.5 }; // the paper's assumption
  if (machine === 'pcap') return { cost: 1, tdp: PCAP_WATTS / H100_WATTS };
  const { relativeDollars, watts } = costOf(SPAD_CHIPS[machine]);
  return { cost: relativeDollars, tdp: Math.round(watts) / H100_WATTS };
}

/** Cost and TDP of a cluster from its machine counts. */
export function clusterCost(counts: SpadMachineCounts): ClusterCost {
  let [machines, cost, tdp] = [0, 0, 0];
  for (const machine of MACHINES) {
    const count = counts[machine] ?? 0;
    const each = machineCost(machine);
    machines += count;
    cost += count * each.cost;
    tdp += count * each.tdp;
  }
  return { machines, cost, tdp };
}

/** What `counts` saves over `baseline`, in percent; negative where it costs more. */
export function savings(counts: SpadMachineCounts, baseline: SpadMachineCounts): { cost: number; tdp: number } {
  const [ours, theirs] = [clusterCost(counts), clusterCost(baseline)];
  return { cost: 100 * (1 - ours.cost / theirs.cost), tdp: 100 * (1 - ours.tdp / theirs.tdp) };
}
