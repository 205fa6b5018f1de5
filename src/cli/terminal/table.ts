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

/** Lines of cells as wide as the widest of their column, those of some columns to the right. */
export function aligned(lines: readonly (readonly string[])[], right: readonly boolean[] = []): string[] {
  const widths = (lines[0] ?? []).map((_, at) => Math.max(...lines.map((line) => line[at].length)));
  const align = (cell: string, at: number) => (right[at] ? cell.padStart(widths[at]) : cell.padEnd(widths[at]));
  return lines.map((line) => line.map(align).join('  ').trimEnd());
}

/** Aligned columns, numbers to the right. */
export function textTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const shown = columns.filter(({ text }) => text !== undefined);
  const cells = [shown.map(({ head }) => head), ...rows.map((row) => shown.map(({ text }) => text!(row)))];
  const right = shown.map(({ value }) => rows.every((row) => typeof value(row) !== 'string'));
  return aligned(cells, right)
    .map((line) => `${line}\n`)
    .join('');
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
