import type { JudgedRow } from '../../../src/published/ledger/judge.js';
import type { LedgerSource } from '../../../src/published/ledger/sources.js';
import { lineOf, ledgerSummary, type LedgerSummary } from '../../../src/published/ledger/summary.js';
import { figure as digits, markdownPercent, signedPercent } from '../../tables/markdown.js';
import { section, type DrawnFigure } from '../drawn-figure.js';
import { escaped, htmlPage, table } from '../html.js';
import { CSS } from '../theme.js';

/**
 * The ledger as a page that needs nothing else: errors by device, engine and phase, and every measurement beside its
 * prediction and the interval that nine in ten are expected in.
 *
 * @param sources by the names that rows have
 */
export function ledgerPage(
  rows: readonly JudgedRow[],
  figures: readonly DrawnFigure[],
  sources: Readonly<Record<string, LedgerSource>>,
): string {
  return htmlPage(
    'Public measurements beside predictions',
    CSS,
    `<main>
<header>
<h1>Public measurements beside predictions</h1>
<p class="lead">What others measured of language models on hardware, set beside what <code>ridgepoint predict</code> says of
the same. A fit has seen some of the rows; how far predictions can be trusted shows in the others.</p>
${tiles(rows)}
</header>
${figures.map(section).join('\n')}
<section id="groups"><h2>By device, engine and phase</h2>
<p>MAPE is the mean of |predicted / measured − 1|, bias the same with its sign; both of rows that no fit has seen.</p>
${groups(rows)}</section>
<section id="rows"><h2>Every measurement</h2>
${[...new Set(rows.map(({ source }) => source))].map((source) => ofSource(source, rows, sources[source])).join('\n')}
</section>
<footer>TTFT: time to first token. TPOT: time per output token after the first, (E2E − TTFT) / (n − 1). Under load: a fixed
number of clients that each send the next request when the last is answered.</footer>
</main>`,
  );
}

const PHASES = [
  ['ttft', 'TTFT'],
  ['tpot', 'TPOT'],
  ['e2e', 'E2E'],
] as const;

function tiles(rows: readonly JudgedRow[]): string {
  const of = (list: readonly JudgedRow[]): LedgerSummary | undefined => ledgerSummary(list, () => 'all')[0];
  const all = of(rows);
  const list: [string, string, string][] = [
    [String(rows.length), 'measurements', `${all?.unseen ?? 0} that no fit has seen`],
    ...PHASES.flatMap(([metric, name]): [string, string, string][] => {
      const found = of(rows.filter((row) => row.metric === metric));
      if (found?.mape === undefined) return [];
      return [
        [
          markdownPercent(found.mape),
          `mean error of ${name}`,
          `${found.unseen} unseen, bias ${signedPercent(found.bias)}`,
        ],
      ];
    }),
    ...(all?.within === undefined
      ? []
      : [[markdownPercent(all.within), 'within our interval', 'of 90 %, unseen rows'] as [string, string, string]]),
  ];
  const tile = ([value, name, note]: [string, string, string]) =>
    `<div class="tile"><b>${escaped(value)}</b><span>${escaped(name)}</span><span>${escaped(note)}</span></div>`;
  return `<div class="tiles">${list.map(tile).join('')}</div>`;
}

const percentOr = (value: number | undefined, text: (value: number) => string): string =>
  value === undefined ? '–' : text(value);

function groups(rows: readonly JudgedRow[]): string {
  return table(
    ['device, engine, chips, phase', 'unseen', 'MAPE', 'bias', 'within 90 %', 'seen', 'their MAPE'],
    ledgerSummary(rows, lineOf).map(({ group, unseen, mape, bias, within, seen, seenMape }) => [
      group.replaceAll(' | ', ', '),
      String(unseen),
      percentOr(mape, markdownPercent),
      percentOr(bias, signedPercent),
      percentOr(within, markdownPercent),
      String(seen),
      percentOr(seenMape, markdownPercent),
    ]),
  );
}

function ofSource(source: string, rows: readonly JudgedRow[], known: LedgerSource | undefined): string {
  const own = rows.filter((row) => row.source === source);
  const from =
    known === undefined
      ? ''
      : `<p class="key">${escaped(`${known.what}. From ${known.repository}, commit ${known.commit}; licence: ${known.licence}.`)}</p>`;
  const body = table(
    [
      ...['device', 'engine', 'model', 'weights', 'chips', 'batch', 'prompt', 'output', 'what', 'measured ms'],
      ...['predicted', 'error', '90 %', 'seen'],
    ],
    own.map((row) => [
      row.device,
      `${row.engine} ${row.version}`.trim(),
      row.model,
      row.weights,
      ...[row.tp, row.batch, row.prompt, row.output].map(String),
      `${row.metric.toUpperCase()}${row.load === 'closed' ? ' under load' : ''}`,
      digits(row.ms),
      digits(row.predictedMs),
      signedPercent(row.error),
      `${digits(row.lowMs)} to ${digits(row.highMs)}${row.within ? '' : ' ✗'}`,
      row.fit ? 'yes' : 'no',
    ]),
  );
  return `<details><summary>${escaped(source)}: ${own.length} rows</summary>${from}${body}</details>`;
}
