import { csvTable, records, textTable, type Column } from './table.js';
import { print } from './output.js';

/** An answer that is a table with some lines around it. */
export interface Answer<Row> {
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  /** Lines for people, before and after the table. */
  readonly before?: string;
  readonly after?: string;
  /** What else programs get, beside `rows`. */
  readonly json?: Record<string, unknown>;
}

/** Prints an answer in the form that was asked for, and returns the exit code. */
export function emit<Row>(
  { json, csv }: { readonly json?: boolean; readonly csv?: boolean },
  answer: Answer<Row>,
): number {
  const { rows, columns, before = '', after = '' } = answer;
  let text = `${before}${before && '\n'}${textTable(rows, columns)}${after && '\n'}${after}`;
  if (csv) text = csvTable(rows, columns);
  else if (json) text = `${JSON.stringify({ ...answer.json, rows: records(rows, columns) }, null, 2)}\n`;
  print(text);
  return 0;
}
