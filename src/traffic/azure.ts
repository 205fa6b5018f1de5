import { RidgepointError } from '../errors.js';

/** One request of a trace. */
export interface TraceRow {
  /** Milliseconds since the trace's first request. */
  readonly atMs: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

const HEADER = 'TIMESTAMP,ContextTokens,GeneratedTokens';
const TIME = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)?(?:Z|\+00:00)?$/;

/**
 * Reads a trace in the format of the Azure LLM inference traces of 2023 (github.com/Azure/AzurePublicDataset, published
 * with Patel et al., "Splitwise", ISCA 2024).
 *
 * @param name what errors call the file
 * @throws RidgepointError naming the line
 */
export function parseTrace(text: string, name: string): TraceRow[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const bad = (line: number, why: string): never => {
    throw new RidgepointError('usage', `${name}: line ${line + 1}: ${why}`);
  };
  if (lines[0].trim() !== HEADER) bad(0, `expected the header ${HEADER}, found ${JSON.stringify(lines[0])}`);
  const rows = lines.slice(1).flatMap((line, index) => {
    if (line.trim() === '') return [];
    const [time, prompt, output, ...rest] = line.split(',');
    if (rest.length > 0 || output === undefined) bad(index + 1, `expected 3 columns, found ${JSON.stringify(line)}`);
    const at =
      milliseconds(time) ?? bad(index + 1, `${JSON.stringify(time)} is no time such as 2023-11-16 18:17:03.98`);
    const tokens = [prompt, output].map(Number);
    if (!tokens.every((count) => Number.isSafeInteger(count) && count >= 1)) {
      bad(index + 1, `expected whole numbers of at least one token, found ${JSON.stringify(`${prompt},${output}`)}`);
    }
    return [{ atMs: at, promptTokens: tokens[0], outputTokens: tokens[1] }];
  });
  if (rows.length === 0) bad(1, 'there are no requests');
  rows.sort((a, b) => a.atMs - b.atMs);
  const begin = rows[0].atMs;
  return rows.map((row) => ({ ...row, atMs: row.atMs - begin }));
}

/** Its seven digits after the point are more than `Date` keeps. */
function milliseconds(text: string): number | undefined {
  const match = TIME.exec(text.trim());
  if (match === null) return undefined;
  const whole = Date.parse(`${match[1]}T${match[2]}Z`);
  return Number.isNaN(whole) ? undefined : whole + 1000 * Number(match[3] ?? 0);
}
