import { figure, markdownTable } from '../../tables/markdown.js';
import { percentileOf, type ServeMetrics } from '../../../src/traffic/metrics.js';
import type { BatchOutcome } from '../scenarios/batch.js';
import type { LongPromptOutcome } from '../scenarios/long-prompt.js';

/** What is shown for a policy. */
export interface PolicyMetrics {
  readonly policy: string;
  readonly metrics: ServeMetrics;
}

/** Policies side by side. */
export function policyTable(rows: readonly PolicyMetrics[]): string {
  const goodput = rows.some(({ metrics }) => metrics.goodPerS !== undefined);
  const percentile = ({ metrics }: PolicyMetrics, measure: 'ttft' | 'itl', percent: number): string =>
    figure(metrics.measures[measure]?.percentiles.find(([known]) => known === percent)?.[1]);
  const unfinished = rows.some(({ metrics: { count } }) => count.failed + count.interrupted + count.unsent > 0);
  const columns: readonly (readonly [string, (row: PolicyMetrics) => string])[] = [
    ['policy', ({ policy }) => policy],
    ['TTFT p50', (row) => percentile(row, 'ttft', 50)],
    ['TTFT p99', (row) => percentile(row, 'ttft', 99)],
    ['ITL p50', (row) => percentile(row, 'itl', 50)],
    ['ITL p99', (row) => percentile(row, 'itl', 99)],
    ['output tok/s', ({ metrics }) => figure(metrics.outputTokensPerS)],
    ['req/s', ({ metrics }) => figure(metrics.requestsPerS)],
    ...(goodput ? [['goodput req/s', ({ metrics }: PolicyMetrics) => figure(metrics.goodPerS)] as const] : []),
    ['completed', ({ metrics }) => `${metrics.count.completed} of ${metrics.planned}`],
    ...(unfinished ? [['failed', ({ metrics }: PolicyMetrics) => String(metrics.count.failed)] as const] : []),
  ];
  return markdownTable(
    columns.map(([title]) => title),
    rows.map((row) => columns.map(([, cell]) => cell(row))),
    columns.map((_, at) => at > 0),
  );
}

export function longPromptTable(outcomes: readonly LongPromptOutcome[]): string {
  const at = (samples: readonly number[], percent: number): string => figure(percentileOf(samples, percent));
  return markdownTable(
    ['policy', 'ITL p50', 'ITL p99', 'ITL max', 'ITL p50 undisturbed', 'TTFT p50 of the long prompt', 'gaps'],
    outcomes.map(({ policy, during, before, ttfts }) => [
      policy ?? 'its own',
      ...[50, 99, 100].map((percent) => at(during, percent)),
      at(before, 50),
      at(ttfts, 50),
      String(during.length),
    ]),
    [false, true, true, true, true, true, true],
  );
}

export function batchTable(outcomes: readonly BatchOutcome[]): string {
  return markdownTable(
    ['policy', '1 sequence tok/s', `${outcomes[0]?.sequences ?? 'many'} sequences tok/s`, 'ratio'],
    outcomes.map(({ policy, one, many, ratio }) => [
      policy ?? 'its own',
      figure(percentileOf(one, 50)),
      figure(percentileOf(many, 50)),
      figure(ratio),
    ]),
    [false, true, true, true],
  );
}
