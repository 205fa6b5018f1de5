import { z } from 'zod';
import { resultSchema } from '../schema.js';
import type { RequestRecord } from '../../src/traffic/record.js';
import { MEASURES, metricsOf, type MetricOptions, type ServeMetrics } from '../../src/traffic/metrics.js';
import { COMPARED_POLICIES } from './compared-policies.js';
import type { ServeRun } from './runs.js';

/**
 * The file `ridgepoint bench serve` writes. Figures of a run have the names that vLLM's `bench serve` gives them
 * (`mean_ttft_ms`, `request_goodput`, ...); every request is kept, those that did not complete included.
 */
export const SERVE_SCHEMA_VERSION = 1;

const count = z.int().nonnegative();
const ms = z.number().nonnegative();

const requestSchema = z.object({
  index: count,
  status: z.enum(['completed', 'aborted', 'failed', 'interrupted']),
  /** When it was due, and when it was sent, since the beginning of the run. */
  scheduled_ms: ms,
  sent_ms: ms,
  input_len: count,
  output_len: count,
  /** When tokens arrived, since it was sent, and how many at a time; `counts` is absent where it was always one. */
  arrivals_ms: z.array(ms),
  counts: z.array(count).optional(),
  /** Until it had ended. */
  end_ms: ms,
  finish: z.string().optional(),
  error: z.string().optional(),
});

/** Figures under vLLM's names; those of a measure that nothing was measured of are absent. */
const figures = z
  .object({
    duration: z.number(),
    completed: count,
    failed: count,
    aborted: count,
    interrupted: count,
    unsent: count,
    num_prompts: count,
    total_input_tokens: count,
    total_output_tokens: count,
    /** Generated for requests that did not complete. */
    wasted_output_tokens: count,
    request_throughput: z.number(),
    request_goodput: z.number().optional(),
    output_throughput: z.number(),
    total_token_throughput: z.number(),
    max_output_tokens_per_s: z.number(),
    max_concurrent_requests: count,
    /** How late requests were sent. */
    median_lateness_ms: z.number(),
    p99_lateness_ms: z.number(),
  })
  .catchall(z.number());

const cache = z.object({
  kv_blocks: count,
  kv_blocks_free: count,
  preemptions: count,
  prefix_queried_tokens: count,
  prefix_hit_tokens: count,
});

const policy = z.enum(COMPARED_POLICIES).nullable();

/** Steps of an engine in the same process: see `RecordedSteps`. */
const steps = z.object({
  seen: count,
  every: z.int().positive(),
  ms: z.array(ms),
  rows: z.array(count),
  keys: z.array(count),
  logit_rows: z.array(count),
  prompts: z.array(z.array(count)),
});

export const serveSchema = z.object({
  version: z.literal(SERVE_SCHEMA_VERSION),
  kind: z.literal('serve'),
  /** False where the run was stopped. */
  complete: z.boolean(),
  date: z.string(),
  /** `ridgepoint` for an engine in the same process, `simulated` where nothing was run. */
  backend: z.enum(['ridgepoint', 'openai', 'openai-chat', 'simulated']),
  /** As asked for, defaults filled in; no key. */
  options: z.record(z.string(), z.unknown()),
  /** Of an engine in the same process. */
  context: resultSchema.shape.context.nullable(),
  /** Of a server. */
  server: z.object({ base_url: z.string(), model: z.string() }).nullable(),
  host: resultSchema.shape.host,
  notes: z.array(z.string()),
  /** One a policy: figures of all its rounds. */
  policies: z.array(z.object({ policy, figures })),
  runs: z.array(
    z.object({
      policy,
      round: count,
      cache: cache.nullable(),
      /** Most prompt tokens in a step. */
      prefill_chunk: z.int().positive().optional(),
      figures,
      /** Requests that came before these seconds are in no figure; of simulated runs. */
      warmup: z.object({ requests: count, seconds: z.number().nonnegative() }).optional(),
      /** A sample of the steps that ran, in the order they did. */
      steps: steps.optional(),
      requests: z.array(requestSchema),
    }),
  ),
  checks: z.array(z.object({ name: z.string(), passed: z.boolean(), found: z.string() })).optional(),
  long_prompt: z
    .array(z.object({ policy, itl_during_ms: z.array(ms), itl_before_ms: z.array(ms), ttfts_ms: z.array(ms) }))
    .optional(),
  batch: z
    .array(
      z.object({
        policy,
        sequences: count,
        input_len: count,
        output_len: count,
        one_output_throughput: z.array(z.number()),
        many_output_throughput: z.array(z.number()),
        ratio: z.number(),
        failed: count.optional(),
      }),
    )
    .optional(),
});

export type ServeResult = z.infer<typeof serveSchema>;
type ServeSteps = z.infer<typeof steps>;

/** The schema for readers in other languages (JSON Schema, draft 2020-12). */
export const serveJsonSchema = (): object => z.toJSONSchema(serveSchema, { target: 'draft-2020-12' });

export function serveFiguresOf(metrics: ServeMetrics): ServeResult['runs'][number]['figures'] {
  const { count: counts, goodPerS } = metrics;
  const latencies = MEASURES.flatMap((name): [string, number][] => {
    const summary = metrics.measures[name];
    if (summary === undefined) return [];
    return [
      [`mean_${name}_ms`, summary.mean],
      [`median_${name}_ms`, summary.median],
      [`std_${name}_ms`, summary.std],
      ...summary.percentiles.map(([percent, value]): [string, number] => [`p${percent}_${name}_ms`, value]),
    ];
  });
  return {
    duration: metrics.durationS,
    ...counts,
    num_prompts: metrics.planned,
    total_input_tokens: metrics.inputTokens,
    total_output_tokens: metrics.outputTokens,
    wasted_output_tokens: metrics.wastedTokens,
    request_throughput: metrics.requestsPerS,
    ...(goodPerS === undefined ? {} : { request_goodput: goodPerS }),
    output_throughput: metrics.outputTokensPerS,
    total_token_throughput: metrics.totalTokensPerS,
    max_output_tokens_per_s: metrics.peakOutputTokensPerS,
    max_concurrent_requests: metrics.peakConcurrency,
    median_lateness_ms: metrics.lateness.median,
    p99_lateness_ms: metrics.lateness.p99,
    ...Object.fromEntries(latencies),
  };
}

const requestOf = (request: RequestRecord): ServeResult['runs'][number]['requests'][number] => ({
  index: request.index,
  status: request.status,
  scheduled_ms: request.scheduledMs,
  sent_ms: request.sentMs,
  input_len: request.promptTokens,
  output_len: request.outputTokens,
  arrivals_ms: request.arrivalsMs.map((at) => Math.round(1000 * at) / 1000),
  ...(request.counts.every((each) => each === 1) ? {} : { counts: [...request.counts] }),
  end_ms: request.endMs,
  ...(request.finish === undefined ? {} : { finish: request.finish }),
  ...(request.error === undefined ? {} : { error: request.error }),
});

export const runOf = (
  { policy: name, round, record, stats, steps: taken, prefillChunk }: ServeRun,
  options: MetricOptions,
): ServeResult['runs'][number] => ({
  policy: name ?? null,
  round,
  cache:
    stats === undefined
      ? null
      : {
          kv_blocks: stats.kvBlocks,
          kv_blocks_free: stats.kvBlocksFree,
          preemptions: stats.preemptions,
          prefix_queried_tokens: stats.prefixQueriedTokens,
          prefix_hit_tokens: stats.prefixHitTokens,
        },
  ...(prefillChunk === undefined ? {} : { prefill_chunk: prefillChunk }),
  figures: serveFiguresOf(metricsOf([record], options)),
  ...(taken === undefined
    ? {}
    : { steps: { ...taken, prompts: taken.prompts.map((parts) => [...parts]) } as ServeSteps }),
  requests: record.requests.map(requestOf),
});
