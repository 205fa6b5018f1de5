import { z } from 'zod';
import { KERNEL_FAMILIES, SERVING_KINDS, SPREAD_SHARES, STEP_KINDS } from './families.js';

const rate = z.number().positive();

const efficiency = z.object({
  compute: rate,
  bandwidth: rate,
  launchSeconds: z.number().nonnegative(),
  overlap: rate,
  outputFlops: z.number().nonnegative().optional(),
});

const stepCosts = z.object({ stretch: rate, seconds: z.number().nonnegative(), rowSeconds: z.number().nonnegative() });
const servingCosts = stepCosts.extend({ spread: z.array(rate).length(SPREAD_SHARES.length) });

const byPart = (each: z.ZodNumber) => z.object({ compute: each, memory: each, launch: each });
const exponents = byPart(z.number().nonnegative());
const broughtTo = z.object({ ms: byPart(rate), felt: z.object({ prompts: exponents, tokens: exponents }) });
const paceOfKernel = z.object({ kernel: z.string(), ms: z.object({ decile: rate, median: rate, fastest: rate }) });

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
    /** Packed dot products of 8-bit integers, a multiply-add as two. */
    int8OpsPerSecond: rate.optional(),
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
  /** Measured on whole steps; a kind that was not measured is the sum of its operations and of the ceilings' costs. */
  steps: z.partialRecord(z.enum(STEP_KINDS), stepCosts).optional(),
  /** Measured while requests came and went (`calibrate --serving`), and how many steps of each kind there were. */
  serving: z.partialRecord(z.enum(SERVING_KINDS), servingCosts).optional(),
  servingSteps: z.partialRecord(z.enum(SERVING_KINDS), z.int().positive()).optional(),
  /** Seconds that timing an operation by itself adds to it: a compute pass of its own. */
  profiledSeconds: z.number().nonnegative().optional(),
  /**
   * Milliseconds of fixed kernels, timed between the runs of the engine: the pace that the rest was measured at. On a
   * GPU multiply-adds, bytes read from memory and empty launches; on a driver that runs on the processor products of eight
   * rows, of one and many small ones, and what was measured of the engine is what it would have taken where those take as
   * long as `broughtTo` says: of a duration what is work goes with the former two, each to the power of `felt`, and the rest
   * with the last.
   */
  pace: paceOfKernel
    .extend({ memory: paceOfKernel.optional(), launch: paceOfKernel.optional(), broughtTo: broughtTo.optional() })
    .optional(),
  /** Spread of each measured figure: name to (p90 - p10) / median. */
  spread: z.record(z.string(), z.number()),
});

export type Calibration = z.infer<typeof calibrationSchema>;

export { calibrationKey } from './calibration-key.js';
