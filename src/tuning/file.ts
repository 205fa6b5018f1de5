import { z } from 'zod';

/** What one contest came to. */
export const tunedEntry = z.object({
  fingerprint: z.string(),
  /** False where time ran out: the usual variants were written down, so that later runs use the same. */
  measured: z.boolean(),
  /** Variant by case. */
  winners: z.record(z.string(), z.string()),
  /** Milliseconds by case and variant. */
  ms: z.record(z.string(), z.record(z.string(), z.number())),
  /** Variants that did not agree with the reference or did not run, and why. */
  dropped: z.array(z.object({ name: z.string(), reason: z.string() })),
});

/** What `ridgepoint tune`, or a first load on a GPU, keeps of one adapter and driver. */
export const tuningSchema = z.object({
  version: z.literal(1),
  adapter: z.string(),
  driver: z.string(),
  /** ISO date and time of the last change. */
  date: z.string(),
  /** By contest. */
  entries: z.record(z.string(), tunedEntry),
});

export type TunedEntry = z.infer<typeof tunedEntry>;
export type TuningFile = z.infer<typeof tuningSchema>;
