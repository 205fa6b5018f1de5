import * as z from 'zod';
import { FAMILY_NAMES } from '../src/model/families/index.js';
import { SCHEMA_VERSION } from './schema-version.js';

export { SCHEMA_VERSION };

/**
 * The file `ridgepoint bench` writes. Names follow the tools people compare with: vLLM's (`mean_ttft_ms`, `itls`) for
 * requests, llama-bench's (`avg_ns`, `samples_ns`) for its rows. Raw samples are kept, outliers included.
 */
const samples = z.array(z.number().nonnegative());
const count = z.int().nonnegative();
const ms = z.number().nonnegative();

/** What every record is measured with, so that one alone says all that a published figure must. */
export const contextSchema = z.object({
  adapter: z.string(),
  driver: z.string(),
  tier: z.string(),
  model: z.string(),
  dtype: z.string(),
  /** Of embedding and `lm_head`; as `dtype` in results from before it was said. */
  head_dtype: z.string().optional(),
  /** What projections of prompts multiply, where that is not f32. */
  activations: z.string().optional(),
  kv_dtype: z.string(),
  /** Capabilities that were masked, and kernels left out for the driver's sake; absent where there were none. */
  disabled: z.array(z.string()).optional(),
  excluded: z.array(z.string()).optional(),
  ridgepoint: z.string(),
  /** What the engine ran in: `node 20.20.2`, `Chrome 156`. Results from before it was said have `node` alone. */
  runtime: z.string().optional(),
  node: z.string().optional(),
  /** The package of Dawn, in Node. */
  dawn: z.string().optional(),
  /** Of the checkout, `-dirty` with local changes; null outside one. */
  git_commit: z.string().nullable(),
  /** Date of the calibration known for this adapter and driver; null without one. */
  calibration: z.string().nullable(),
  /** When this point was done: ISO date and time. */
  date: z.string(),
});

/** What every point has. */
const pointSchema = contextSchema.extend({
  id: z.string(),
  /** One a repetition that counts: milliseconds of the fixed kernels of `pace` around it, where they were timed for each. */
  paces_ms: z.object({ compute: samples, memory: samples, launch: samples }).optional(),
});

/** Mean, median, p90, p99, standard deviation and spread of one measure, under vLLM's names. */
const summaryOf = <Name extends 'ttft' | 'tpot' | 'itl' | 'e2el'>(name: Name) =>
  z.object({
    [`mean_${name}_ms`]: ms,
    [`median_${name}_ms`]: ms,
    [`p90_${name}_ms`]: ms,
    [`p99_${name}_ms`]: ms,
    [`std_${name}_ms`]: ms,
    /** (p90 - p10) / median */
    [`spread_${name}`]: ms,
  } as Record<`${'mean' | 'median' | 'p90' | 'p99' | 'std'}_${Name}_ms` | `spread_${Name}`, typeof ms>);

/** The way through the engine that a user's request takes: tokenisation (of text), scheduling, sampling, readback. */
const endToEnd = pointSchema.extend({
  n_prompt: count,
  n_gen: count,
  batch: count,
  /** `text` is tokenised inside the measurement, `ids` are not. */
  prompt: z.enum(['text', 'ids']),
  /** Runs that came before and do not count: time to the end of each, in ms. */
  warmup_ms: samples,
  ttfts_ms: samples,
  ...summaryOf('ttft').shape,
});

/** A prompt and its first token: TTFT. */
export const ttftRecord = endToEnd.extend({ kind: z.literal('ttft') });

/** `batch` prompts of `n_prompt` tokens that each get `n_gen` tokens: TPOT, ITL, E2E, throughput. */
export const tpotRecord = endToEnd.extend({
  kind: z.literal('tpot'),
  /** One a repetition: mean gap from when all sequences have their first token to the last token of all. */
  tpots_ms: samples,
  ...summaryOf('tpot').shape,
  /** All gaps of all sequences pooled. */
  itls: samples,
  ...summaryOf('itl').shape,
  /** The same gaps counted: `counts[i]` of them are at least `edges_ms[i]` and below `edges_ms[i + 1]`. */
  itl_histogram: z.object({ edges_ms: samples, counts: z.array(count) }).optional(),
  e2els_ms: samples,
  ...summaryOf('e2el').shape,
  /** Tokens a second while decoding: 1 / TPOT, and of all sequences. From the median. */
  tokens_per_second_per_user: z.number(),
  tokens_per_second: z.number(),
});

/** A row of llama-bench: single steps past the scheduler, without tokenisation and sampling. */
export const llamaBenchRecord = pointSchema.extend({
  kind: z.literal('llama-bench'),
  n_prompt: count,
  n_gen: count,
  /** Tokens in the cache before. */
  n_depth: count,
  batch: count,
  warmup_ns: samples,
  avg_ns: z.number(),
  stddev_ns: z.number(),
  avg_ts: z.number(),
  stddev_ts: z.number(),
  samples_ns: samples,
  samples_ts: samples,
});

/** GPU time of each operation of one step, under the names of the list of operations. */
export const operationsRecord = pointSchema.extend({
  kind: z.literal('operations'),
  phase: z.enum(['prefill', 'decode']),
  /** New tokens of each sequence, sequences, and tokens in the cache of each. */
  tokens: count,
  batch: count,
  context: count,
  warmup_ms: samples,
  /** Of the whole step, from recording to the GPU being done, with and without a pass for each operation. */
  profiled_ms: samples,
  unprofiled_ms: samples,
  record_ms: samples,
  operations: z.array(z.object({ name: z.string(), median_ns: z.number(), samples_ns: samples })),
});

export const recordSchema = z.discriminatedUnion('kind', [ttftRecord, tpotRecord, llamaBenchRecord, operationsRecord]);

const paceSamples = z.object({ kernel: z.string(), samples_ms: samples });
/**
 * Milliseconds of fixed kernels between the runs: how much of the machine there was. A product on drivers that run on the
 * processor; else multiply-adds, bytes read from memory and empty launches.
 */
export const paceSchema = paceSamples.extend({ memory: paceSamples.optional(), launch: paceSamples.optional() });

const rate = z.number().positive();
export const ceilingsSchema = z.object({
  read_bytes_per_second: rate,
  /** A multiply-add counts as two. */
  f32_flops_per_second: rate,
  f16_flops_per_second: rate.optional(),
});

const modelConfig = z.object({
  /** Of models; a Llama when absent. */
  family: z.enum(FAMILY_NAMES).optional(),
  /** Tokens that attention sees, and the layers in which it does no more; absent where it sees all. */
  window: count.optional(),
  windowed: z.array(z.boolean()).readonly().optional(),
  layers: count,
  hidden: count,
  intermediate: count,
  heads: count,
  kvHeads: count,
  headDim: count,
  vocab: count,
  maxPositions: count,
  tiedEmbeddings: z.boolean(),
});

export const optionsSchema = z.object({
  prompts: z.array(count),
  contexts: z.array(count),
  batches: z.array(count),
  gen: count,
  repetitions: count,
  warmup: count,
  /** Seconds the points together should take: fewer repetitions, and no points that would take longer than is left. */
  budget_s: z.number().positive().optional(),
  /** All batches at all contexts, or each axis alone. */
  grid: z.enum(['full', 'cross']),
  parts: z.array(z.enum(['end-to-end', 'llama-bench', 'operations'])),
  prompt: z.enum(['text', 'ids']),
});

export const resultSchema = z.object({
  version: z.literal(SCHEMA_VERSION),
  /** False while points are missing: the run goes on, or was stopped. */
  complete: z.boolean(),
  date: z.string(),
  options: optionsSchema,
  context: contextSchema.omit({ date: true }),
  /** Browsers tell nothing of the processor but its threads, and of memory nothing. */
  host: z.object({ os: z.string(), cpu: z.string(), threads: count, memory_bytes: count.optional() }),
  /** Of the calibration that was known for the adapter and driver, so that the result brings its roof along. */
  ceilings: ceilingsSchema.optional(),
  model: z.object({
    name: z.string(),
    config: modelConfig,
    weights: z.enum(['checkpoint', 'synthetic']),
    parameters: count,
    weight_bytes: count,
    kv_cache_bytes: count,
    context_length: count,
    prefill_chunk: count,
    /** Variants of the matmul kernels in use. */
    kernels: z.object({ prefill: z.array(z.string()), decode: z.array(z.string()) }).optional(),
  }),
  /** Milliseconds of loading by stage. */
  load_ms: z.record(z.string(), z.number()),
  /** Engines that measured larger batches, where kernels depend on how many sequences may run together. */
  further_engines: z
    .array(
      z.object({
        sequences: count,
        load_ms: z.record(z.string(), z.number()),
        kernels: z.object({ prefill: z.array(z.string()), decode: z.array(z.string()) }),
      }),
    )
    .optional(),
  pace: paceSchema.optional(),
  records: z.array(recordSchema),
  /** Of an incomplete run, by point: what each of its runs measured, from which records are made anew when it goes on. */
  runs: z.record(z.string(), z.array(z.unknown())).optional(),
  /** And the pace around each of those runs. */
  run_paces: z
    .record(z.string(), z.array(z.object({ compute: z.number(), memory: z.number(), launch: z.number() })))
    .optional(),
  skipped: z.array(z.object({ id: z.string(), reason: z.string() })),
});

export type BenchResult = z.infer<typeof resultSchema>;
export type BenchRecord = z.infer<typeof recordSchema>;
export type TtftRecord = z.infer<typeof ttftRecord>;
export type TpotRecord = z.infer<typeof tpotRecord>;
export type LlamaBenchRecord = z.infer<typeof llamaBenchRecord>;
export type OperationsRecord = z.infer<typeof operationsRecord>;
export type RecordContext = Omit<z.infer<typeof contextSchema>, 'date'>;
export type BenchOptions = z.infer<typeof optionsSchema>;

/** The schema for readers in other languages (JSON Schema, draft 2020-12). */
export const jsonSchema = (): object => z.toJSONSchema(resultSchema, { target: 'draft-2020-12' });
