import type { BenchResult } from '../../../../bench/schema.js';
import { csv } from '../../../../bench/tables/csv.js';
import { overview } from '../../../../bench/tables/overview.js';

/** A result as `--format` wants it. */
export function printed(result: BenchResult, format: 'markdown' | 'csv' | 'json'): string {
  if (format === 'json') return `${JSON.stringify(result, null, 1)}\n`;
  return format === 'csv' ? csv(result) : overview(result);
}
