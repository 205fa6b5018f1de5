import { figure, markdownTable, markdownPercent } from '../tables/markdown.js';
import { KERNEL_KINDS, type KernelRecord, type KernelsResult } from './schema.js';

const TITLES: Record<KernelRecord['kind'], string> = {
  matmul: 'Matmul (outputs x inputs)',
  attention: 'Attention (query heads / key heads x head dimension)',
  norm: 'RMSNorm',
  rope: 'Rotary embedding and cache write',
  embed: 'Embedding',
  sample: 'Sampling',
};

/** Small times need more digits than milliseconds usually have. */
const ms = (value: number): string => (value >= 0.1 ? figure(value) : value.toPrecision(2));

/** A table of each kind; within a point the fastest variant comes first, and `*` marks the one used untuned. */
export function kernelTables(result: KernelsResult): string {
  const { records, calibration } = result;
  const head = [
    `${result.adapter}, ${result.driver}, ${result.tier}; ridgepoint ${result.ridgepoint}${result.git_commit === null ? '' : ` (${result.git_commit})`}, ${result.date}`,
    `ms of one launch by ${result.timer}: median; spread is (p90 - p10) / median; * is what the engine takes untuned`,
    calibration === null
      ? 'no calibration of this adapter: run "ridgepoint calibrate" to see shares of its ceilings'
      : `shares of the ceilings calibrated ${calibration}`,
  ].join('\n');
  const sections = KERNEL_KINDS.map((kind) => {
    const own = records.filter((record) => record.kind === kind);
    return own.length === 0 ? '' : `## ${TITLES[kind]}\n\n${table(own)}`;
  });
  const skipped = result.skipped.map(({ id, reason }) => `- ${id}: ${reason}`).join('\n');
  return `${[head, ...sections, skipped && `## Not measured\n\n${skipped}`].filter((part) => part !== '').join('\n\n')}\n`;
}

function table(records: readonly KernelRecord[]): string {
  const points = new Map<string, KernelRecord[]>();
  for (const record of records) points.set(keyOf(record), [...(points.get(keyOf(record)) ?? []), record]);
  const rows = [...points.values()].flatMap((variants) =>
    [...variants].sort((a, b) => a.median_ms - b.median_ms).map((record, i) => row(record, i === 0)),
  );
  const names = [
    'operation',
    'shape',
    'rows',
    'context',
    'variant',
    'ms',
    'spread',
    'GB/s',
    'GFLOP/s',
    'bound',
    'of ceiling',
  ];
  return markdownTable(names, rows, [false, false, true, true, false, true, true, true, true, false, true]);
}

const keyOf = ({ operation, shape, rows, context }: KernelRecord): string => `${operation} ${shape} ${rows} ${context}`;

function row(record: KernelRecord, first: boolean): string[] {
  const { operation, shape, slice, rows, context, variant, ceiling } = record;
  const name = slice === null ? shape : `${shape}, of it ${slice}`;
  return [
    ...(first ? [operation, name, String(rows), context > 0 ? String(context) : ''] : ['', '', '', '']),
    `${variant}${record.default ? ' *' : ''}`,
    ms(record.median_ms),
    markdownPercent(record.spread),
    figure(record.gb_per_s),
    figure(1000 * record.tflop_per_s),
    ceiling === null ? '-' : ceiling.name,
    markdownPercent(ceiling?.share),
  ];
}
