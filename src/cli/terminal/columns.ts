import { digits, ms, percent, times, toMs } from './format.js';
import type { Column } from './table.js';

/** Columns of the kinds that answers are made of. */

export const text = <Row>(head: string, key: string, value: (row: Row) => string): Column<Row> => ({
  head,
  key,
  value,
  text: value,
});
export const count = <Row>(head: string, key: string, value: (row: Row) => number): Column<Row> => ({
  head,
  key,
  value,
  text: (row) => String(value(row)),
});
export const duration = <Row>(head: string, key: string, value: (row: Row) => number | undefined): Column<Row> => ({
  head,
  key,
  value: (row) => toMs(value(row)),
  text: (row) => ms(value(row)),
});
export const yesNo = <Row>(head: string, key: string, value: (row: Row) => boolean): Column<Row> => ({
  head,
  key,
  value,
  text: (row) => (value(row) ? 'yes' : 'no'),
});
export const rate = <Row>(head: string, key: string, value: (row: Row) => number): Column<Row> => ({
  head,
  key,
  value,
  text: (row) => digits(value(row)),
});
export const share = <Row>(head: string, key: string, value: (row: Row) => number | undefined): Column<Row> => ({
  head,
  key,
  value,
  text: (row) => percent(value(row)),
});
export const factor = <Row>(head: string, key: string, value: (row: Row) => number | undefined): Column<Row> => ({
  head,
  key,
  value,
  text: (row) => times(value(row)),
});
