import { ascending, quantile } from '../statistics.js';
import type { Goals } from './goodput.js';
import type { LoadRecord, RequestStatus } from './record.js';
import type { MeasureSummary } from './measure-samples.js';
import { LoadTally } from './tally.js';

export const MEASURES = ['ttft', 'tpot', 'itl', 'e2el'] as const;
export type MeasureName = (typeof MEASURES)[number];

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
  const tally = new LoadTally({ goals });
  for (const run of runs) {
    for (const request of run.requests) {
      const { arrivalsMs, counts } = request;
      tally.request({ ...request, ttft: arrivalsMs[0], e2el: arrivalsMs.at(-1)! });
      tally.tokens(request, arrivalsMs, counts);
    }
    tally.endRun(run);
  }
  return tally.metrics(percentiles);
}

/** A percentile of samples in any order; undefined where there is none. */
export function percentileOf(samples: readonly number[], percent: number): number | undefined {
  if (samples.length === 0) return undefined;
  return quantile(ascending(samples), percent / 100);
}
