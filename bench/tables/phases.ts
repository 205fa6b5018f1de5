import type { BenchResult, OperationsRecord, TpotRecord, TtftRecord } from '../schema.js';
import { summarize } from '../../src/statistics.js';
import { figure, markdownTable, markdownPercent } from './markdown.js';

/** Prefill as users meet it: time to the first token. */
export function prefillTable({ records }: BenchResult): string {
  const own = records.filter((record): record is TtftRecord => record.kind === 'ttft');
  if (own.length === 0) return '';
  const rows = own.map((record) => [
    String(record.n_prompt),
    String(record.ttfts_ms.length),
    ...(['median', 'p90', 'p99', 'mean'] as const).map((key) => figure(record[`${key}_ttft_ms`])),
    markdownPercent(record.spread_ttft),
    figure((1000 * record.n_prompt) / record.median_ttft_ms),
  ]);
  const head = ['prompt', 'runs', 'TTFT ms', 'p90', 'p99', 'mean', 'spread', 'prompt tok/s'];
  return markdownTable(head, rows, Array<boolean>(head.length).fill(true));
}

/** Decode as users meet it: time per token, and what all of them get together. */
export function decodeTable({ records }: BenchResult): string {
  const own = records.filter((record): record is TpotRecord => record.kind === 'tpot');
  if (own.length === 0) return '';
  const rows = own.map((record) => [
    String(record.n_prompt),
    String(record.batch),
    String(record.tpots_ms.length),
    ...[record.median_tpot_ms, record.p90_tpot_ms, record.p99_tpot_ms].map(figure),
    markdownPercent(record.spread_tpot),
    ...[record.median_itl_ms, record.p90_itl_ms, record.p99_itl_ms].map(figure),
    figure(record.median_e2el_ms),
    figure(record.tokens_per_second_per_user),
    figure(record.tokens_per_second),
  ]);
  const head = [
    ...['context', 'batch', 'runs', 'TPOT ms', 'p90', 'p99', 'spread', 'ITL ms', 'p90', 'p99'],
    ...['E2E ms', 'tok/s user', 'tok/s all'],
  ];
  return markdownTable(head, rows, Array<boolean>(head.length).fill(true));
}

/** GPU time of a step by kind of operation, layers added up. */
export function operationsTable({ records }: BenchResult): string {
  const own = records.filter((record): record is OperationsRecord => record.kind === 'operations');
  if (own.length === 0) return '';
  const names = [...new Set(own.flatMap(({ operations }) => operations.map(({ name }) => kindOf(name))))];
  const sums = own.map((record) => sumByKind(record.operations));
  const rows = names.map((name) => [name, ...sums.map((sum) => figure((sum.get(name) ?? 0) / 1e6))]);
  rows.push(['all operations', ...sums.map((sum) => figure([...sum.values()].reduce((a, b) => a + b, 0) / 1e6))]);
  rows.push(['whole step, unprofiled', ...own.map((record) => figure(summarize(record.unprofiled_ms).median))]);
  const title = ({ phase, tokens, batch, context }: OperationsRecord): string =>
    phase === 'prefill' ? `prefill ${tokens} ms` : `decode c${context} b${batch} ms`;
  return markdownTable(['operation', ...own.map(title)], rows, [false, ...own.map(() => true)]);
}

/** `layers.3.gate_up` -> `gate_up`. */
export const kindOf = (name: string): string => name.replace(/^layers\.\d+\./, '');

export function sumByKind(operations: OperationsRecord['operations']): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { name, median_ns } of operations) sums.set(kindOf(name), (sums.get(kindOf(name)) ?? 0) + median_ns);
  return sums;
}
