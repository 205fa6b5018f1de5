import { RidgepointError } from '../../errors.js';
import { llamaBenchTables } from './llama-bench-tables.js';
import type { LedgerRow } from './row.js';

/** Where a source's rows are from, as `models/ledger/sources.json` says. */
export interface LedgerSource {
  readonly repository: string;
  readonly licence: string;
  readonly commit: string;
  readonly what: string;
  /** The file that has them, of a source whose licence does not let them be kept in the project. */
  readonly fetch?: { readonly file: string };
}

/** Sources that are fetched, by name. */
export function fetched(sources: Readonly<Record<string, LedgerSource>>): Map<string, Required<LedgerSource>> {
  const found = Object.entries(sources).flatMap(([name, source]) => (source.fetch ? [[name, source] as const] : []));
  return new Map(found as [string, Required<LedgerSource>][]);
}

/** @throws RidgepointError when a page has no table that can be read */
export function rowsOfPage(page: string, name: string): LedgerRow[] {
  const rows = llamaBenchTables(page, name);
  if (rows.length > 0) return rows;
  const message = `--fetch ${name}: the page has no table of llama-bench that can be read; update ridgepoint, or give rows by --rows`;
  throw new RidgepointError('network', message);
}
