import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { packageRoot } from '../../../platform/node/package-root.js';
import { Judge, type JudgedRow } from '../../../published/ledger/judge.js';
import { parseLedger, type LedgerRow } from '../../../published/ledger/row.js';
import { lineOf, ledgerSummary, type LedgerSummary } from '../../../published/ledger/summary.js';
import type { Model } from '../../../roofline/models/models.js';
import type { LedgerFlags } from './command.js';
import { fetchedRows, fetchRows, ledgerSources } from './fetched.js';
import { print, tell } from '../../terminal/output.js';
import { emit } from '../../terminal/answer.js';
import { share } from '../../terminal/columns.js';
import { percent } from '../../terminal/format.js';
import { findModel } from '../predict/subjects.js';
import type { Column } from '../../terminal/table.js';
import { readTextFile } from '../../text-file.js';

/** Every row that comes with the project, and of a file of the user's; not those of sources that are fetched. */
export async function ledgerRows(more?: string): Promise<LedgerRow[]> {
  const folder = join(packageRoot(), 'models', 'ledger');
  const own = readdirSync(folder).filter((name) => name.endsWith('.csv'));
  const files = [...own.sort().map((name) => join(folder, name)), ...(more === undefined ? [] : [more])];
  const read = async (path: string) =>
    parseLedger(await readTextFile(path), basename(path).replace(/\.csv$/, ''), basename(path));
  return (await Promise.all(files.map(read))).flat();
}

/** Rows beside our predictions; those of models, devices or formats that we do not know are left out. */
export async function judged(rows: readonly LedgerRow[]): Promise<JudgedRow[]> {
  const models = new Map<string, Model>();
  for (const name of new Set(rows.map(({ model }) => model))) {
    const model = await findModel(name).catch(() => undefined);
    if (model !== undefined) models.set(name, model);
  }
  const judge = new Judge(models);
  return rows.map((row) => judge.judge(row)).filter((row) => row !== undefined);
}

const columns: readonly Column<LedgerSummary>[] = [
  { head: 'device, engine, chips, phase', key: 'group', value: ({ group }) => group, text: ({ group }) => group },
  { head: 'unseen', key: 'unseen', value: ({ unseen }) => unseen, text: ({ unseen }) => String(unseen) },
  share('MAPE', 'mape', ({ mape }) => mape),
  share('bias', 'bias', ({ bias }) => bias),
  share('within 90 %', 'within', ({ within }) => within),
  { head: 'seen', key: 'seen', value: ({ seen }) => seen, text: ({ seen }) => String(seen) },
  share('their MAPE', 'seen_mape', ({ seenMape }) => seenMape),
];

/** The table as it stands in docs/predictor.md. */
export function markdown(summaries: readonly LedgerSummary[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const heads = ['device', 'engine', 'chips', 'phase', ...columns.slice(1).map(({ head }) => head)];
  const body = summaries.map((row) => line([row.group, ...columns.slice(1).map(({ text }) => text!(row))]));
  return line(heads) + line(heads.map(() => '---')) + body.join('');
}

const rowColumns: readonly Column<JudgedRow>[] = [
  ...(['source', 'device', 'engine', 'version', 'model', 'weights'] as const).map((name) => ({
    ...{ head: name, key: name, value: (row: JudgedRow) => row[name], text: (row: JudgedRow) => row[name] },
  })),
  ...(['tp', 'batch', 'prompt', 'output'] as const).map((name) => ({
    ...{ head: name, key: name, value: (row: JudgedRow) => row[name], text: (row: JudgedRow) => String(row[name]) },
  })),
  ...(['load', 'metric'] as const).map((name) => ({
    ...{ head: name, key: name, value: (row: JudgedRow) => row[name], text: (row: JudgedRow) => row[name] },
  })),
  { head: 'measured ms', key: 'ms', value: ({ ms }) => ms, text: ({ ms }) => String(ms) },
  {
    head: 'predicted',
    key: 'predicted_ms',
    value: (row) => row.predictedMs,
    text: (row) => row.predictedMs.toPrecision(4),
  },
  { head: 'error', key: 'error', value: ({ error }) => error, text: ({ error }) => percent(error) },
  {
    head: '90 %',
    key: 'low_ms',
    value: (row) => row.lowMs,
    text: (row) => `${row.lowMs.toPrecision(3)} to ${row.highMs.toPrecision(3)}`,
  },
  { head: '', key: 'high_ms', value: (row) => row.highMs },
  { head: 'seen', key: 'fit', value: ({ fit }) => fit, text: ({ fit }) => (fit ? 'yes' : 'no') },
];

/**
 * Public measurements beside our predictions: a line for each device, engine and phase, or for each row. Of sources whose
 * rows were fetched Markdown has a table each.
 */
export async function ledgerCommand(flags: LedgerFlags): Promise<number> {
  if (flags.fetch !== undefined) await fetchRows(flags.fetch);
  const fetched = await fetchedRows();
  const asked = async (rows: readonly LedgerRow[]): Promise<JudgedRow[]> =>
    (await judged(rows)).filter(({ device }) => flags.device === undefined || device === flags.device);
  const own = await asked(await ledgerRows(flags.rows));
  const others = await Promise.all([...fetched.values()].map(asked));
  const rows = [own, ...others].flat();
  if (flags.report !== undefined) {
    // Drawing takes libraries that nothing else here needs.
    const { writeLedgerPage } = await import('../../../../bench/report/ledger/write.js');
    await writeLedgerPage(flags.report, rows, ledgerSources());
    tell(`written to ${flags.report}\n`);
  }
  if (flags.markdown) {
    print([own, ...others].map((rows) => markdown(ledgerSummary(rows, lineOf))).join('\n'));
    return 0;
  }
  if (!flags.json && !flags.csv && fetched.size > 0)
    tell(`with rows of fetched sources: ${[...fetched.keys()].join(', ')}\n`);
  if (flags.each) return emit(flags, { rows, columns: rowColumns });
  return emit(flags, {
    rows: ledgerSummary(rows, lineOf),
    columns,
    after: 'unseen: rows that no fit was made from; MAPE: mean of |predicted / measured - 1|; --each shows every row\n',
  });
}
