import { RidgepointError } from '../../errors.js';

/** Rows of a CSV with a header and no quoted fields, as measured tables have them. Every value is text. */
export interface Csv {
  readonly header: readonly string[];
  readonly rows: readonly Readonly<Record<string, string>>[];
}

/** @throws RidgepointError naming the line */
export function parseCsv(text: string, name: string): Csv {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const header = lines[0].split(',').map((field) => field.trim());
  const rows = lines.slice(1).flatMap((line, index) => {
    if (line.trim() === '') return [];
    const fields = line.split(',');
    if (fields.length !== header.length) {
      throw new RidgepointError(
        'usage',
        `${name}: line ${index + 2} has ${fields.length} fields, the header has ${header.length}`,
      );
    }
    return [Object.fromEntries(header.map((field, at) => [field, fields[at]]))];
  });
  if (rows.length === 0) throw new RidgepointError('usage', `${name}: there are no rows below the header`);
  return { header, rows };
}

/** Columns of one row as numbers. @throws RidgepointError naming what is no number */
export function numbersOf(row: Readonly<Record<string, string>>, columns: readonly string[], name: string): number[] {
  return columns.map((column) => {
    const value = Number(row[column]);
    if (row[column].trim() === '' || !Number.isFinite(value)) {
      throw new RidgepointError('usage', `${name}: ${column} is ${JSON.stringify(row[column])}, which is no number`);
    }
    return value;
  });
}
