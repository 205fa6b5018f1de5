import type { Calibration } from './calibration.js';
import type { MeasuredAllReduces } from './collectives.js';
import type { Efficiency, KernelFamily, Serving, StepCosts, StepKind } from './families.js';

/** Rates of matrix units, FLOP/s (or integer operations a second), a multiply-add counted as two. */
export interface MatrixRates {
  /** f16 or bf16 operands summed in f32. */
  readonly f16?: number;
  /** f16 operands summed in f16, where that is faster (GeForce). */
  readonly f16Accumulate16?: number;
  readonly f32?: number;
  readonly fp8?: number;
  readonly int8?: number;
  readonly int4?: number;
  /** 4-bit floating point with scales of its own (NVFP4, MXFP4). */
  readonly fp4?: number;
}

/** A figure that changes with time. */
export interface Dated {
  readonly value: number;
  /** When it was read: year and month. */
  readonly date: string;
  readonly source: string;
}

/** What ordinary shader code reaches at best, FLOP/s: the roof of a WGSL kernel without subgroup matrices. */
export interface ShaderRates {
  readonly f32: number;
  /** Packed f16; the f32 rate where the device gains nothing by it. */
  readonly f16: number;
  /** Packed dot products of 8-bit integers (`dot4I8Packed`). */
  readonly int8?: number;
}

/** How chips of one machine reach each other. */
export interface Link {
  readonly name: string;
  /** Bytes a second that one chip sends, and at the same time receives. */
  readonly bytesPerSecond: number;
  /** Seconds a message takes beside its bytes. */
  readonly latencySeconds: number;
  /** What all-reduces take, where they were measured; else they are priced from the two above. */
  readonly allReduce?: MeasuredAllReduces;
  /** Where `allReduce` was read. */
  readonly allReduceSource?: string;
}

/** What the host adds to a step. */
export interface HostCosts {
  /** Seconds to record one launch. */
  readonly recordSeconds: number;
  /** From submit until a result is readable. */
  readonly roundTripSeconds: number;
  /** Seconds an empty launch takes on the GPU, for kernels whose own figure was not measured. */
  readonly launchSeconds: number;
  /** What steps take beside their operations, where that was measured on whole steps; then the two above are in it. */
  readonly steps?: Readonly<Partial<Record<StepKind, StepCosts>>>;
  /** What steps take while requests come and go, where that was measured. */
  readonly serving?: Serving;
  /** What fixed kernels took when the rest was measured, by statistic of their samples. */
  readonly pace?: NonNullable<Calibration['pace']>;
  /** Seconds that timing an operation by itself adds to it. */
  readonly profiledSeconds?: number;
}

/** Families of devices that libraries treat alike. */
export type HardwareClass = 'nvidia' | 'amd' | 'apple' | 'intel' | 'tpu' | 'gaudi' | 'trainium';

export type Efficiencies = Readonly<Record<KernelFamily, Efficiency>>;

/** One piece of hardware: its ceilings, and how much of them kernels are known to reach. */
export interface Hardware {
  readonly id: string;
  readonly name: string;
  readonly kind: 'datacentre' | 'consumer' | 'integrated' | 'sram' | 'proposed' | 'measured';
  /** Dense rates; headline figures of data sheets are often those of `sparse`. */
  readonly dense: MatrixRates;
  /** Rates with 2:4 structured sparsity; never used for predictions. */
  readonly sparse?: MatrixRates;
  readonly shader: ShaderRates;
  /** Bytes a second of the memory that holds weights. */
  readonly bandwidth: number;
  readonly capacityBytes: number;
  /** Whether the vendor's figure of capacity was read as GiB or as decimal GB. */
  readonly capacityUnit: 'GiB' | 'GB';
  /** The memory is the host's too, so not all of it is to be had. */
  readonly sharedMemory?: boolean;
  /** What of its own memory weights and cache may take, where that is not the usual share of `memory.ts`. */
  readonly usableShare?: number;
  /** What of shared memory a GPU may take; else that of `memory.ts`. */
  readonly sharedShare?: number;
  readonly link?: Link;
  readonly tdpWatts?: number;
  /** What a card was measured to draw while it serves, on average. */
  readonly wattsServing?: Dated;
  /** Launch price of one card in US dollars; absent where the vendor names none. */
  readonly priceUsd?: number;
  /** US dollars that a card costs an hour where it is rented on demand. */
  readonly pricePerHour?: Dated;
  /** Kernels of which class run there, for what was not measured on this device. */
  readonly class?: HardwareClass;
  /** Chips that one entry stands for, when it cannot be had in smaller parts. */
  readonly chips?: number;
  /** The engine's rows of prompts are f16 on their way into projections, since its subgroup matrices multiply that. */
  readonly halfRows?: boolean;
  /** Largest batch the system serves, where it has such a limit. */
  readonly maxBatch?: number;
  /** Measured efficiencies, with where they come from; else defaults by kind apply. */
  readonly efficiencies?: Partial<Efficiencies>;
  readonly efficiencySource?: string;
  readonly host?: HostCosts;
  /** Where the row's figures were read. */
  readonly source: string;
  /** Figures that are written down from memory, with no page at hand that has them. */
  readonly unchecked?: string;
  readonly note?: string;
}

/** Whether the engine has subgroup matrices of f16 that it takes for prompts: a CPU driver spells them out. */
export function takesHalfRows({
  ceilings,
  isCpu,
}: Pick<Calibration, 'isCpu'> & { readonly ceilings: Pick<Calibration['ceilings'], 'subgroupMatrix'> }): boolean {
  return !isCpu && ceilings.subgroupMatrix.some(({ componentType }) => componentType === 'f16');
}

/**
 * The machine a calibration was made on.
 *
 * @param capacityBytes memory for weights and cache, where the caller knows it; WebGPU does not tell
 */
export function fromCalibration(calibration: Calibration, capacityBytes = Infinity): Hardware {
  const { ceilings, adapter, driver, isCpu, date, ridgepoint } = calibration;
  const matrix = (component: string, result?: string): number | undefined => {
    const rates = ceilings.subgroupMatrix
      .filter(
        (each) => each.componentType === component && (result ?? each.resultComponentType) === each.resultComponentType,
      )
      .map((each) => each.flopsPerSecond);
    return rates.length > 0 ? Math.max(...rates) : undefined;
  };
  return {
    id: 'this-machine',
    name: adapter,
    kind: 'measured',
    dense: {
      f16: matrix('f16', 'f32'),
      f16Accumulate16: matrix('f16', 'f16'),
      f32: matrix('f32'),
      int8: matrix('i8') ?? matrix('u8'),
    },
    shader: {
      f32: ceilings.f32FlopsPerSecond,
      f16: ceilings.f16FlopsPerSecond ?? ceilings.f32FlopsPerSecond,
      int8: measuredInt8(calibration, matrix('i8', 'i32'), matrix('f16', 'f32') ?? matrix('f16')),
    },
    bandwidth: ceilings.readBytesPerSecond,
    capacityBytes,
    capacityUnit: 'GiB',
    sharedMemory: isCpu,
    halfRows: takesHalfRows(calibration),
    efficiencies: calibration.efficiencies,
    efficiencySource: `calibration of ${date.slice(0, 10)}`,
    host: {
      recordSeconds: ceilings.recordSeconds,
      roundTripSeconds: ceilings.roundTripSeconds,
      launchSeconds: ceilings.dispatchSeconds,
      ...(calibration.steps === undefined ? {} : { steps: calibration.steps }),
      ...(calibration.serving === undefined ? {} : { serving: calibration.serving }),
      ...(calibration.pace === undefined ? {} : { pace: calibration.pace }),
      ...(calibration.profiledSeconds === undefined ? {} : { profiledSeconds: calibration.profiledSeconds }),
    },
    source: `ridgepoint ${ridgepoint} calibrate, ${driver}, ${date}`,
  };
}

/**
 * The rate of 8-bit integers in terms of that of f32, which efficiencies were measured against: a GPU whose f16 products
 * of prompts go through matrices has those in int8 go through them too, faster by the ratio of the two.
 */
function measuredInt8(
  { ceilings, isCpu }: Calibration,
  int8: number | undefined,
  half: number | undefined,
): number | undefined {
  if (isCpu || int8 === undefined || half === undefined) return ceilings.int8OpsPerSecond;
  return (ceilings.f32FlopsPerSecond * int8) / half;
}

/** A piece of hardware with some of its resources scaled: a hypothetical sibling, for sensitivity studies. */
export function scaled(
  hardware: Hardware,
  { compute = 1, bandwidth = 1 }: { compute?: number; bandwidth?: number },
): Hardware {
  const times = <T extends object>(rates: T): T =>
    Object.fromEntries(
      Object.entries(rates).map(([key, rate]) => [key, rate === undefined ? undefined : (rate as number) * compute]),
    ) as T;
  return {
    ...hardware,
    dense: times(hardware.dense),
    shader: times(hardware.shader),
    bandwidth: hardware.bandwidth * bandwidth,
  };
}
