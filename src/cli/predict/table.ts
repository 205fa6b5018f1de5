type Value = string | number | boolean | undefined;

/** A column of a table that people, spreadsheets and programs read. */
export interface Column<Row> {
  /** For people. */
  readonly head: string;
  /** For programs; names the unit: `ttft_ms`. */
  readonly key: string;
  readonly value: (row: Row) => Value;
  /** How people see it; left out, the column is for programs alone. */
  readonly text?: (row: Row) => string;
}

/** Aligned columns, numbers to the right. */
export function textTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const shown = columns.filter(({ text }) => text !== undefined);
  const cells = [shown.map(({ head }) => head), ...rows.map((row) => shown.map(({ text }) => text!(row)))];
  const widths = shown.map((_, i) => Math.max(...cells.map((line) => line[i].length)));
  const right = shown.map(({ value }) => rows.every((row) => typeof value(row) !== 'string'));
  const align = (text: string, i: number) => (right[i] ? text.padStart(widths[i]) : text.padEnd(widths[i]));
  return cells.map((line) => `${line.map(align).join('  ').trimEnd()}\n`).join('');
}

/** RFC 4180 with a line of names; what is not known is empty. */
export function csvTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const quote = (value: Value): string => {
    const text = value === undefined ? '' : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [columns.map(({ key }) => key), ...rows.map((row) => columns.map(({ value }) => quote(value(row))))];
  return lines.map((line) => `${line.join(',')}\n`).join('');
}

/** One object a row; what is not known is null. */
export function records<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): Record<string, unknown>[] {
  return rows.map((row) => Object.fromEntries(columns.map(({ key, value }) => [key, value(row) ?? null])));
}
