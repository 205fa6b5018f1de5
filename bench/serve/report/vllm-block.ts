import type { MeasureName, ServeMetrics } from '../../../src/traffic/metrics.js';

const WIDTH = 50;

const TITLES: Readonly<Record<MeasureName, readonly [title: string, short: string]>> = {
  ttft: ['Time to First Token', 'TTFT'],
  tpot: ['Time per Output Token (excl. 1st token)', 'TPOT'],
  itl: ['Inter-token Latency', 'ITL'],
  e2el: ['End-to-end Latency', 'E2EL'],
};

/** What was asked for, as far as the block repeats it. */
export interface BlockOptions {
  readonly measures: readonly MeasureName[];
  readonly requestRate?: number;
  readonly maxConcurrency?: number;
}

/**
 * The result in the layout of vLLM's `bench serve`, so that what reads the one reads the other. Lines that it does not
 * have say what it cannot: requests that clients aborted, and those a stopped run left over.
 */
export function vllmBlock(metrics: ServeMetrics, { measures, requestRate, maxConcurrency }: BlockOptions): string {
  const { count } = metrics;
  const lines = [
    ruled(' Serving Benchmark Result ', '='),
    line('Successful requests:', count.completed),
    line('Failed requests:', count.failed),
    ...(count.aborted > 0 ? [line('Aborted requests:', count.aborted)] : []),
    ...(count.interrupted + count.unsent > 0 ? [line('Unfinished requests:', count.interrupted + count.unsent)] : []),
    ...(maxConcurrency === undefined ? [] : [line('Maximum request concurrency:', maxConcurrency)]),
    ...(requestRate === undefined || requestRate === Infinity
      ? []
      : [line('Request rate configured (RPS):', requestRate.toFixed(2))]),
    line('Benchmark duration (s):', metrics.durationS.toFixed(2)),
    line('Total input tokens:', metrics.inputTokens),
    line('Total generated tokens:', metrics.outputTokens),
    line('Request throughput (req/s):', metrics.requestsPerS.toFixed(2)),
    ...(metrics.goodPerS === undefined ? [] : [line('Request goodput (req/s):', metrics.goodPerS.toFixed(2))]),
    line('Output token throughput (tok/s):', metrics.outputTokensPerS.toFixed(2)),
    line('Peak output token throughput (tok/s):', metrics.peakOutputTokensPerS.toFixed(2)),
    line('Peak concurrent requests:', metrics.peakConcurrency.toFixed(2)),
    line('Total token throughput (tok/s):', metrics.totalTokensPerS.toFixed(2)),
    ...measures.flatMap((measure) => section(measure, metrics)),
    '='.repeat(WIDTH),
  ];
  return `${lines.join('\n')}\n`;
}

function section(measure: MeasureName, { measures }: ServeMetrics): string[] {
  const [title, short] = TITLES[measure];
  const summary = measures[measure];
  const value = (ms: number | undefined): string => (ms ?? 0).toFixed(2);
  return [
    ruled(title, '-'),
    line(`Mean ${short} (ms):`, value(summary?.mean)),
    line(`Median ${short} (ms):`, value(summary?.median)),
    ...(summary?.percentiles ?? []).map(([percent, ms]) => line(`P${percent} ${short} (ms):`, value(ms))),
  ];
}

const line = (label: string, value: number | string): string => `${label.padEnd(40)} ${String(value).padEnd(10)}`;

function ruled(title: string, character: string): string {
  const before = Math.floor((WIDTH - title.length) / 2);
  return `${character.repeat(before)}${title}${character.repeat(WIDTH - title.length - before)}`;
}
