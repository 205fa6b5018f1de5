import { ascending, quantile, summarizeSorted } from '../statistics.js';
import { isGood, type Goals } from './goodput.js';
import { gapsOf, latenciesOf } from './latencies.js';
import type { LoadRecord, RequestRecord, RequestStatus } from './record.js';

export const MEASURES = ['ttft', 'tpot', 'itl', 'e2el'] as const;
export type MeasureName = (typeof MEASURES)[number];

/** Samples of one measure, summed up; undefined where there is none. */
export interface MeasureSummary {
  readonly mean: number;
  readonly median: number;
  readonly std: number;
  /** Percentile, as asked for, to value. */
  readonly percentiles: readonly (readonly [percent: number, ms: number])[];
}

/** What runs of the same load come to. */
export interface ServeMetrics {
  readonly durationS: number;
  /** Requests by what became of them; together with `unsent` all that were planned. */
  readonly count: Readonly<Record<RequestStatus, number>> & { readonly unsent: number };
  readonly planned: number;
  /** Of completed requests. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Generated for requests that did not complete. */
  readonly wastedTokens: number;
  readonly requestsPerS: number;
  readonly goodPerS: number | undefined;
  readonly outputTokensPerS: number;
  /** In the best second of the run. */
  readonly peakOutputTokensPerS: number;
  readonly peakConcurrency: number;
  readonly totalTokensPerS: number;
  readonly measures: Readonly<Record<MeasureName, MeasureSummary | undefined>>;
  /** How late requests were sent, in milliseconds: a client that cannot keep up measures itself. */
  readonly lateness: { readonly median: number; readonly p99: number };
}

export interface MetricOptions {
  readonly percentiles: readonly number[];
  readonly goals?: Goals;
}

/**
 * Sums up one run, or several of the same kind. Latencies and throughput are those of completed requests, as in vLLM's
 * harness; runs follow each other, so durations add up.
 */
export function metricsOf(runs: readonly LoadRecord[], { percentiles, goals }: MetricOptions): ServeMetrics {
  const all = runs.flatMap(({ requests }) => requests);
  const completed = all.filter(({ status }) => status === 'completed');
  const latencies = completed.map(latenciesOf);
  const seconds = sum(runs.map(({ durationMs }) => durationMs)) / 1000;
  const rate = (amount: number): number => (seconds > 0 ? amount / seconds : 0);
  const inputTokens = sum(completed.map(({ promptTokens }) => promptTokens));
  const outputTokens = sum(completed.map((request) => request.outputTokens));
  const planned = sum(runs.map((run) => run.planned));
  const counted = (status: RequestStatus): number => all.filter((request) => request.status === status).length;
  const late = all.map(({ sentMs, scheduledMs }) => sentMs - scheduledMs).sort((a, b) => a - b);
  return {
    durationS: seconds,
    count: {
      completed: completed.length,
      aborted: counted('aborted'),
      failed: counted('failed'),
      interrupted: counted('interrupted'),
      unsent: planned - all.length,
    },
    planned,
    inputTokens,
    outputTokens,
    wastedTokens: sum(all.map((request) => request.outputTokens)) - outputTokens,
    requestsPerS: rate(completed.length),
    goodPerS: goals && rate(latencies.filter((each) => isGood(each, goals)).length),
    outputTokensPerS: rate(outputTokens),
    peakOutputTokensPerS: Math.max(0, ...runs.map(({ requests }) => bestSecond(requests))),
    peakConcurrency: Math.max(0, ...runs.map(({ requests }) => mostAtOnce(requests))),
    totalTokensPerS: rate(inputTokens + outputTokens),
    measures: {
      ttft: summaryOf(
        latencies.map(({ ttft }) => ttft),
        percentiles,
      ),
      tpot: summaryOf(
        latencies.flatMap(({ tpot }) => tpot ?? []),
        percentiles,
      ),
      itl: summaryOf(gapsOf(completed), percentiles),
      e2el: summaryOf(
        latencies.map(({ e2el }) => e2el),
        percentiles,
      ),
    },
    lateness: late.length > 0 ? { median: quantile(late, 0.5), p99: quantile(late, 0.99) } : { median: 0, p99: 0 },
  };
}

/** A percentile of samples in any order; undefined where there is none. */
export function percentileOf(samples: readonly number[], percent: number): number | undefined {
  if (samples.length === 0) return undefined;
  return quantile(ascending(samples), percent / 100);
}

function summaryOf(samples: ArrayLike<number>, percentiles: readonly number[]): MeasureSummary | undefined {
  if (samples.length === 0) return undefined;
  const sorted = ascending(samples);
  const { mean, median, std } = summarizeSorted(sorted);
  return {
    mean,
    median,
    std,
    percentiles: percentiles.map((percent) => [percent, quantile(sorted, percent / 100)] as const),
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Most tokens within one of the run's whole seconds. */
function bestSecond(requests: readonly RequestRecord[]): number {
  const seconds = new Map<number, number>();
  for (const { sentMs, arrivalsMs, counts } of requests) {
    // They come in order, so a second is looked up once for all its tokens.
    let [second, tokens] = [NaN, 0];
    const note = (): void => {
      if (tokens > 0) seconds.set(second, (seconds.get(second) ?? 0) + tokens);
    };
    for (let at = 0; at < arrivalsMs.length; at++) {
      const now = Math.floor((sentMs + arrivalsMs[at]) / 1000);
      if (now !== second) {
        note();
        [second, tokens] = [now, 0];
      }
      tokens += counts[at];
    }
    note();
  }
  return [...seconds.values()].reduce((best, tokens) => Math.max(best, tokens), 0);
}

/** Most requests under way at one moment. */
function mostAtOnce(requests: readonly RequestRecord[]): number {
  const changes = requests.flatMap(({ sentMs, endMs }) => [
    { at: sentMs, by: 1 },
    { at: sentMs + endMs, by: -1 },
  ]);
  // One that ends when another begins makes room for it.
  changes.sort((a, b) => a.at - b.at || a.by - b.by);
  let now = 0;
  let most = 0;
  for (const { by } of changes) most = Math.max(most, (now += by));
  return most;
}
