import type { BenchResult } from '../schema.js';

/** One line a record with what can stand in a cell; lists of samples and operations are in the JSON only. */
export function csv({ records }: BenchResult): string {
  const flat = records.map((record) =>
    Object.fromEntries(
      Object.entries(record).filter((entry): entry is [string, string | number | null] => !Array.isArray(entry[1])),
    ),
  );
  const first = ['kind', 'id'];
  const columns = [...new Set([...first, ...flat.flatMap((record) => Object.keys(record))])];
  return csvLines([columns, ...flat.map((record) => columns.map((column) => record[column]))]);
}

type Value = string | number | null | undefined;

/** Rows as lines of CSV, the last ended, too. */
export const csvLines = (rows: readonly (readonly Value[])[]): string =>
  rows.map((row) => `${row.map(cell).join(',')}\n`).join('');

/** Quoted where it must be (RFC 4180). */
function cell(value: Value): string {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'number' ? String(Number(value.toPrecision(8))) : String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
