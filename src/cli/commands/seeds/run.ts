import {
  differenceOf,
  errorOf,
  DOCUMENTS,
  holds,
  showOurs,
  VERDICTS,
  type DocumentId,
  type SeedFigure,
  type Verdict,
} from '../../../published/seeds/figure.js';
import { SEED_FIGURES } from '../../../published/seeds/index.js';
import { ONLY, type SeedsFlags } from './command.js';
import { EXIT } from '../../run.js';
import { dim } from '../../terminal/style.js';
import { print } from '../../terminal/output.js';

export interface SeedsOptions extends SeedsFlags {
  /** Where the listing goes; standard output when absent. */
  readonly write?: (text: string) => void;
  /** The figures to list; those of the five documents when absent. */
  readonly figures?: readonly SeedFigure[];
}

/**
 * Prints what the documents this project started from publish, what our arithmetic gives, and the difference.
 *
 * @returns the exit code: 1 when a figure said to be reproduced or consistent is not
 */
export function seeds({ document, only, json = false, write, figures = SEED_FIGURES }: SeedsOptions): Promise<number> {
  const wanted = only === undefined ? undefined : ONLY[only];
  const shown = figures.filter((figure) => {
    return (document ?? figure.document) === figure.document && (wanted ?? figure.verdict) === figure.verdict;
  });
  const failed = shown.filter((figure) => !holds(figure));
  const text = json ? `${JSON.stringify(shown.map(record), null, 2)}\n` : render(shown, failed);
  (write ?? print)(text);
  return Promise.resolve(failed.length === 0 ? EXIT.ok : EXIT.failure);
}

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
    error: errorOf(figure) ?? null,
    verdict,
    holds: holds(figure),
    explanation: explanation ?? null,
  };
}

const HEAD = ['published', 'ours', 'difference', 'verdict'];

/** The verdicts as short as a column wants them. */
const SHORT: Readonly<Record<Verdict, string>> = {
  reproduced: 'reproduced',
  consistent: 'consistent',
  predicted: 'predicted',
  'wrong in the source': 'wrong',
  'needs the simulator': 'simulator',
  'not reproducible here': 'not here',
};

function render(shown: readonly SeedFigure[], failed: readonly SeedFigure[]): string {
  const documents = (Object.keys(DOCUMENTS) as DocumentId[]).flatMap((document) => {
    const own = shown.filter((figure) => figure.document === document);
    return own.length === 0 ? [] : [renderDocument(`${document}  ${DOCUMENTS[document]}`, own)];
  });
  return `${[...documents, summary(shown, failed)].join('\n\n')}\n`;
}

/** A document's figures under the tables and sections they stand in. */
function renderDocument(title: string, figures: readonly SeedFigure[]): string {
  const widths = ['', ...HEAD].map((head, at) => {
    return Math.max(head.length, ...figures.map((figure) => cells(figure)[at].length));
  });
  const line = (row: readonly string[]) => {
    const padded = row.map((cell, at) => (at > 0 && at < 4 ? cell.padStart(widths[at]) : cell.padEnd(widths[at])));
    return `  ${padded.join('  ').trimEnd()}`;
  };
  const lines: string[] = [];
  for (const where of new Set(figures.map((figure) => figure.where))) {
    lines.push(dim(line([where, ...(lines.length === 0 ? HEAD : [])]), process.stdout));
    let before: string | undefined;
    for (const figure of figures.filter((figure) => figure.where === where)) {
      lines.push(line(cells(figure)));
      if (figure.explanation !== before) lines.push(...notes(figure.explanation));
      before = figure.explanation;
    }
  }
  return [title, ...lines].join('\n');
}

function cells(figure: SeedFigure): string[] {
  const { id, what, published, verdict } = figure;
  const label = /^W/.test(id) ? `${id.replace(/\.c\d+$/, '')}: ${what}` : what;
  const said = holds(figure) ? SHORT[verdict] : 'NOT REPRODUCED';
  return [`  ${label}`, published, showOurs(figure) ?? '-', showDifference(figure), said];
}

/** Before rounding, so that a reproduced number shows how near it was; of a prediction also in percent. */
function showDifference(figure: SeedFigure): string {
  const difference = differenceOf(figure);
  if (difference === undefined) return '-';
  if (Math.abs(difference) < 1e-9) return '0';
  const digits = Math.abs(difference) >= 100 ? 0 : 2;
  const value = Math.abs(difference) < 0.01 ? difference.toPrecision(1) : difference.toFixed(digits);
  const error = errorOf(figure);
  return signed(difference, value) + (error === undefined ? '' : ` (${signed(error, (100 * error).toFixed(0))}%)`);
}

const signed = (value: number, text: string): string => (value > 0 ? `+${text}` : text);

/** What is to be said about a figure, beneath it. */
function notes(explanation: string | undefined): string[] {
  return wrap(explanation ?? '', 96).map((text) => dim(`      ${text}`, process.stdout));
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ').filter((word) => word !== '')) {
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
  return `${text}\n${failed.length} said to hold that do not: ${failed.map(({ id }) => id).join(', ')}`;
}
