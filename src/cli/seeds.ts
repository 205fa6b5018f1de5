import {
  differenceOf,
  DOCUMENTS,
  holds,
  showOurs,
  VERDICTS,
  type DocumentId,
  type SeedFigure,
  type Verdict,
} from '../roofline/seeds/figure.js';
import { SEED_FIGURES } from '../roofline/seeds/index.js';
import { refuse } from './parse.js';
import { EXIT } from './run.js';
import { dim } from './style.js';

/** Words that `--only` takes. */
export const ONLY: Readonly<Record<string, Verdict>> = {
  reproduced: 'reproduced',
  wrong: 'wrong in the source',
  simulator: 'needs the simulator',
  other: 'not reproducible here',
};

export interface SeedsOptions {
  readonly document?: string;
  readonly only?: string;
  readonly json?: boolean;
  /** Where the listing goes; standard output when absent. */
  readonly write?: (text: string) => void;
  /** The figures to list; those of the five documents when absent. */
  readonly figures?: readonly SeedFigure[];
}

/**
 * Prints what the documents this project started from publish, what our arithmetic gives, and the difference.
 *
 * @returns the exit code: 1 when a figure said to be reproduced is not
 */
export function seeds({ document, only, json = false, write, figures = SEED_FIGURES }: SeedsOptions): Promise<number> {
  const wanted = only === undefined ? undefined : (ONLY[only] ?? refuse('--only', `one of ${listOf(ONLY)}`, only));
  if (document !== undefined && !(document in DOCUMENTS)) {
    refuse('--document', `one of ${listOf(DOCUMENTS)}`, document);
  }
  const shown = figures.filter((figure) => {
    return (document ?? figure.document) === figure.document && (wanted ?? figure.verdict) === figure.verdict;
  });
  const failed = shown.filter((figure) => !holds(figure));
  const text = json ? `${JSON.stringify(shown.map(record), null, 2)}\n` : render(shown, failed);
  (write ?? ((output: string) => process.stdout.write(output)))(text);
  return Promise.resolve(failed.length === 0 ? EXIT.ok : EXIT.failure);
}

const listOf = (of: object) => Object.keys(of).join(', ');

/** One figure for programs. */
function record(figure: SeedFigure) {
  const { id, document, where, what, published, verdict, explanation } = figure;
  const ours = figure.ours?.();
  return {
    id,
    document,
    where,
    what,
    published,
    ours: ours ?? null,
    shown: showOurs(figure) ?? null,
    difference: differenceOf(figure) ?? null,
    verdict,
    holds: holds(figure),
    explanation: explanation ?? null,
  };
}

const HEAD = ['where', 'what', 'published', 'ours', 'difference', 'verdict'];
/** Columns of numbers, set to the right. */
const RIGHT = new Set([2, 3, 4]);

function render(shown: readonly SeedFigure[], failed: readonly SeedFigure[]): string {
  const rows = shown.map(cells);
  const widths = HEAD.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at].length)));
  const line = (row: readonly string[]) => {
    const padded = row.map((cell, at) => (RIGHT.has(at) ? cell.padStart(widths[at]) : cell.padEnd(widths[at])));
    return `  ${padded.join('  ').trimEnd()}`;
  };
  const sections = (Object.keys(DOCUMENTS) as DocumentId[]).flatMap((document) => {
    const own = shown.flatMap((figure, at) => (figure.document === document ? [at] : []));
    if (own.length === 0) return [];
    const lines = own.flatMap((at) => [line(rows[at]), ...notes(shown[at])]);
    return [[`${document}  ${DOCUMENTS[document]}`, dim(line(HEAD), process.stdout), ...lines].join('\n')];
  });
  return `${[...sections, summary(shown, failed)].join('\n\n')}\n`;
}

function cells(figure: SeedFigure): string[] {
  const { id, where, what, published, verdict } = figure;
  const label = /^W/.test(id) ? `${id}: ${what}` : what;
  const said = holds(figure) ? verdict : 'NOT REPRODUCED';
  return [where, label, published, showOurs(figure) ?? '-', showDifference(figure), said];
}

/** To the decimals published, and a percentage where the two are far apart. */
function showDifference(figure: SeedFigure): string {
  const difference = differenceOf(figure);
  if (difference === undefined) return '-';
  if (difference === 0) return '0';
  const digits = Math.abs(difference) >= 100 ? 0 : 2;
  const value = Math.abs(difference) < 0.01 ? difference.toPrecision(1) : difference.toFixed(digits);
  return difference > 0 ? `+${value}` : value;
}

/** The explanation beneath a row, for whatever is not simply reproduced. */
function notes(figure: SeedFigure): string[] {
  if (figure.explanation === undefined) return [];
  return wrap(figure.explanation, 96).map((text) => dim(`      ${text}`, process.stdout));
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

function summary(shown: readonly SeedFigure[], failed: readonly SeedFigure[]): string {
  const counts = VERDICTS.map(
    (verdict) => [verdict, shown.filter((figure) => figure.verdict === verdict).length] as const,
  );
  const parts = counts.filter(([, count]) => count > 0).map(([verdict, count]) => `${count} ${verdict}`);
  const text = `${shown.length} figures: ${parts.join(', ') || 'none'}.`;
  if (failed.length === 0) return text;
  return `${text}\n${failed.length} said to be reproduced and not: ${failed.map(({ id }) => id).join(', ')}`;
}
