import { z } from 'zod';
import { contextSchema, paceSchema } from '../schema.js';

/** The file `ridgepoint bench disaggregate` writes: all samples, outliers included; times in milliseconds. */
export const DISAGGREGATE_VERSION = 1;

const samples = z.array(z.number().nonnegative());
const count = z.int().nonnegative();
/** Milliseconds of the fixed multiply-adds around each sample, the mean of before and after; absent in older results. */
const paces = samples.optional();

/** Who computed the prompt, who answered, and the link between; `mbit` null: as fast as the machine can. */
const cell = z.object({
  prefill: z.string(),
  decode: z.string(),
  n_prompt: count,
  n_gen: count,
  mbit: z.number().positive().nullable(),
  delay_ms: z.number().nonnegative(),
  /** Keys and values that are sent, and those of the last chunk. */
  kv_bytes: count,
  kv_last_bytes: count,
  e2els_ms: samples,
  ttfts_ms: samples,
  /** From the first step of the prompt to the end of its last, and the first step alone. */
  prefills_ms: samples,
  first_chunks_ms: samples,
  /** From the request to the last of the keys and values. */
  kvs_ms: samples,
  /** Of a request: until keys and values are there beyond the prompt's computation, then to the first token. */
  exposeds_ms: z.array(z.number()),
  tails_ms: samples,
  decodes_ms: samples,
  paces_ms: paces,
  /** Transfers that did not come whole. */
  fallbacks: count,
});

export const disaggregateSchema = z.object({
  version: z.literal(DISAGGREGATE_VERSION),
  kind: z.literal('disaggregate'),
  complete: z.boolean(),
  date: z.string(),
  host: z.object({ os: z.string(), cpu: z.string(), threads: count, memory_bytes: count }),
  /** A record of each adapter. */
  contexts: z.array(contextSchema.omit({ date: true })),
  options: z.object({
    pairs: z.array(z.object({ prefill: z.string(), decode: z.string() })),
    prompts: z.array(count),
    outputs: z.array(count),
    networks_mbit: z.array(z.number().positive().nullable()),
    delays_ms: z.array(z.number().nonnegative()),
    repetitions: count,
    warmup: count,
    /** Tokens of a prompt in one step, of who computes prompts for others. */
    prefill_chunk: count,
  }),
  /** Milliseconds of a fixed kernel between the points: how much of the machine there was. */
  pace: paceSchema.optional(),
  alone: z.array(
    z.object({
      ...{ adapter: z.string(), n_prompt: count, n_gen: count },
      ...{ ttfts_ms: samples, e2els_ms: samples, paces_ms: paces },
    }),
  ),
  prefills: z.array(
    z.object({ adapter: z.string(), n_prompt: count, prefills_ms: samples, first_chunks_ms: samples, paces_ms: paces }),
  ),
  tails: z.array(z.object({ adapter: z.string(), n_prompt: count, tails_ms: samples, paces_ms: paces })),
  cells: z.array(cell),
});

export type DisaggregateResult = z.infer<typeof disaggregateSchema>;
export type CellRecord = z.infer<typeof cell>;
