import { z } from 'zod';

/** The file `ridgepoint bench kernels` writes. Times of one launch; a multiply-add is two FLOPs. */
export const KERNELS_VERSION = 1;

export const KERNEL_KINDS = ['matmul', 'attention', 'norm', 'rope', 'embed', 'sample'] as const;
export type KernelKind = (typeof KERNEL_KINDS)[number];

const count = z.int().nonnegative();
const positive = z.number().positive();

export const kernelRecord = z.object({
  kind: z.enum(KERNEL_KINDS),
  /** Whose shapes these are, and the operation that has this one; null for a shape given by hand. */
  model: z.string().nullable(),
  operation: z.string(),
  /** For example `4096x4096`: outputs by inputs of a matmul, heads by head dimension of attention. */
  shape: z.string(),
  /** What of the shape was run, where all of it would have taken too long: bytes and FLOPs are of this part. */
  slice: z.string().nullable(),
  dtype: z.string(),
  /** What kernels for many rows multiply, where that is not f32. */
  activations: z.string().optional(),
  rows: count,
  /** Tokens in the cache before; 0 where there is no cache. */
  context: count,
  variant: z.string(),
  /** Whether the engine takes this variant here when nothing was tuned. */
  default: z.boolean(),
  samples_ms: z.array(z.number().nonnegative()),
  median_ms: z.number().nonnegative(),
  /** (p90 - p10) / median */
  spread: z.number().nonnegative(),
  /** That must cross memory at least once, and the rate that makes. */
  bytes: count,
  gb_per_s: z.number().nonnegative(),
  flops: count,
  tflop_per_s: z.number().nonnegative(),
  /** The calibrated ceiling that binds, and the share of it reached; null without a calibration. */
  ceiling: z
    .object({ name: z.string(), bound: z.enum(['memory', 'compute']), ms: positive, share: positive })
    .nullable(),
});

export const kernelsSchema = z.object({
  version: z.literal(KERNELS_VERSION),
  /** False where it was stopped. */
  complete: z.boolean(),
  date: z.string(),
  adapter: z.string(),
  driver: z.string(),
  tier: z.string(),
  /** Capabilities that were masked, and kernels left out for the driver's sake; absent where there were none. */
  disabled: z.array(z.string()).optional(),
  excluded: z.array(z.string()).optional(),
  ridgepoint: z.string(),
  git_commit: z.string().nullable(),
  host: z.object({ os: z.string(), cpu: z.string(), threads: count, memory_bytes: count }),
  /** Date of the calibration the shares are of. */
  calibration: z.string().nullable(),
  /** Whether Dawn's bounds checks were in the kernels, as they are in the engine; true where it is not said. */
  checks: z.boolean().optional(),
  timer: z.enum(['timestamps', 'host clock']),
  /** Bytes that copies in rotation make up, so that no cache holds them. */
  working_bytes: count,
  budget_s: positive,
  records: z.array(kernelRecord),
  /** Variants that could not be run, and why. */
  skipped: z.array(z.object({ id: z.string(), reason: z.string() })),
});

export type KernelRecord = z.infer<typeof kernelRecord>;
export type KernelsResult = z.infer<typeof kernelsSchema>;
