/** A Markdown table, columns padded so that it reads as plain text too; numbers to the right. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly boolean[],
): string {
  const widths = head.map((title, at) => Math.max(title.length, 3, ...rows.map((row) => row[at].length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, at) => (right[at] ? cell.padStart(widths[at]) : cell.padEnd(widths[at]))).join(' | ')} |`;
  const rule = `| ${widths.map((width, at) => (right[at] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/** A number with as many digits as a reader wants: three or more that count. */
export function figure(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return size >= 1 || size === 0 ? value.toFixed(2) : value.toFixed(3);
}

export const markdownPercent = (share: number | undefined): string =>
  share === undefined || !Number.isFinite(share) ? '-' : `${(100 * share).toFixed(1)} %`;

export const signedPercent = (share: number | undefined): string =>
  share === undefined || !Number.isFinite(share) ? '-' : `${share > 0 ? '+' : ''}${markdownPercent(share)}`;
