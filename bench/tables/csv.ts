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
  const lines = flat.map((record) => columns.map((column) => cell(record[column])).join(','));
  return `${[columns.join(','), ...lines].join('\n')}\n`;
}

/** Quoted where it must be (RFC 4180). */
function cell(value: string | number | null | undefined): string {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'number' ? String(Number(value.toPrecision(8))) : String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
