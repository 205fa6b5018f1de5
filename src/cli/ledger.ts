import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { packageRoot } from '../platform/node/package-root.js';
import { readWhole } from '../platform/node/read-whole.js';
import { importRows, type Known } from '../roofline/ledger/import.js';
import { Judge, type JudgedRow } from '../roofline/ledger/judge.js';
import { parseLedger, writeLedger, type LedgerRow } from '../roofline/ledger/row.js';
import { lineOf, summarise, type LedgerSummary } from '../roofline/ledger/summary.js';
import type { Model } from '../roofline/models.js';
import { print } from './output.js';
import { emit } from './predict/emit.js';
import { percent } from './predict/format.js';
import { findModel } from './predict/subjects.js';
import type { Column } from './predict/table.js';
import { textOf } from './text-file.js';

export interface LedgerFlags {
  readonly rows?: string;
  readonly device?: string;
  readonly each?: boolean;
  readonly markdown?: boolean;
  readonly json?: boolean;
  readonly csv?: boolean;
}

/** Every row that comes with the project, and of a file of the user's. */
export async function ledgerRows(more?: string): Promise<LedgerRow[]> {
  const folder = join(packageRoot(), 'models', 'ledger');
  const own = readdirSync(folder).filter((name) => name.endsWith('.csv'));
  const files = [...own.sort().map((name) => join(folder, name)), ...(more === undefined ? [] : [more])];
  const read = async (path: string) =>
    parseLedger(textOf(await readWhole(path), path), basename(path).replace(/\.csv$/, ''), basename(path));
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

const share = (
  head: string,
  key: string,
  value: (row: LedgerSummary) => number | undefined,
): Column<LedgerSummary> => ({
  head,
  key,
  value,
  text: (row) => percent(value(row)),
});

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

/** Public measurements beside our predictions: a line for each device, engine and phase, or for each row. */
export async function ledgerCommand(flags: LedgerFlags): Promise<number> {
  const all = await judged(await ledgerRows(flags.rows));
  const rows = all.filter(({ device }) => flags.device === undefined || device === flags.device);
  if (flags.each) return emit(flags, { rows, columns: rowColumns });
  const summaries = summarise(rows, lineOf);
  if (flags.markdown) {
    print(markdown(summaries));
    return 0;
  }
  return emit(flags, {
    rows: summaries,
    columns,
    after: 'unseen: rows that no fit was made from; MAPE: mean of |predicted / measured - 1|; --each shows every row\n',
  });
}

export interface ImportFlags extends Omit<Known, 'source' | 'version'> {
  readonly engineVersion?: string;
}

/** Rows of a benchmark's result, as the ledger keeps them. */
export async function importCommand(file: string, { engineVersion: version, ...known }: ImportFlags): Promise<number> {
  const rows = importRows(textOf(await readWhole(file), file), { ...known, version, source: 'own' }, file);
  print(writeLedger(rows));
  return 0;
}
