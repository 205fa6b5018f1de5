import { z } from 'zod';

const rate = z.number().positive();

/** How far a family of kernels gets towards the ceilings, and what a launch of it costs beyond them. */
const efficiency = z.object({
  /** Share of the compute roof reached when compute binds, in (0, 1]. */
  compute: rate,
  /** Share of the memory bandwidth reached when memory binds; above 1 where a cache serves what was counted as memory. */
  bandwidth: rate,
  /** Seconds a launch takes beside its work. */
  launchSeconds: z.number().nonnegative(),
  /** Exponent p of the overlap t = (tc^p + tm^p)^(1/p); infinite overlap is the plain maximum. */
  overlap: rate,
});

/** Families of kernels that share an efficiency. */
export const KERNEL_FAMILIES = [
  'matmul-few', // decode: GEMV and skinny GEMM
  'matmul-many', // prefill: GEMM
  'attention-decode',
  'attention-prefill',
  'elementwise', // norms, rope, embedding
  'sample',
] as const;

export type KernelFamily = (typeof KERNEL_FAMILIES)[number];

/**
 * What `ridgepoint calibrate` measured on one adapter and driver, and what predictions for it are made from.
 * FLOP/s count a multiply-add as two; bytes are bytes, times are seconds.
 */
export const calibrationSchema = z.object({
  version: z.literal(1),
  adapter: z.string(),
  driver: z.string(),
  isCpu: z.boolean(),
  /** ISO date and time. */
  date: z.string(),
  ridgepoint: z.string(),
  ceilings: z.object({
    readBytesPerSecond: rate,
    /** Bytes read plus bytes written, a second. */
    copyBytesPerSecond: rate,
    f32FlopsPerSecond: rate,
    f16FlopsPerSecond: rate.optional(),
    subgroupMatrix: z.array(
      z.object({
        componentType: z.string(),
        resultComponentType: z.string(),
        M: z.number(),
        N: z.number(),
        K: z.number(),
        flopsPerSecond: rate,
      }),
    ),
    /** One empty launch among many in a pass, on the GPU. */
    dispatchSeconds: rate,
    /** Recording one launch on the CPU. */
    recordSeconds: rate,
    /** From submit to the bytes being readable on the host, for an almost empty submission. */
    roundTripSeconds: rate,
  }),
  /** Measured on the engine's own kernels; a family that was not measured takes the documented default. */
  efficiencies: z.partialRecord(z.enum(KERNEL_FAMILIES), efficiency),
  /** Spread of each measured figure: name to (p90 - p10) / median. */
  spread: z.record(z.string(), z.number()),
});

export type Calibration = z.infer<typeof calibrationSchema>;
export type Efficiency = z.infer<typeof efficiency>;

export { calibrationKey } from './calibration-key.js';
