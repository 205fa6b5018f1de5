import { escaped, htmlPage } from '../../../../../bench/report/html.js';
import { draw } from '../../../../../bench/report/render.js';
import { CSS, withVariables } from '../../../../../bench/report/theme.js';
import { writeWhole } from '../../../../../bench/store.js';
import type { Column } from '../../../terminal/table.js';
import type { ReportFigure } from './figures.js';

/** A table of a report, of the columns that people see. */
export interface ReportTable<Row> {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  /** What is to be said of its rows, below them. */
  readonly remarks?: readonly string[];
}

/** What a page holds, in this order. */
export interface SimulationReport<Row> {
  readonly title: string;
  /** A sentence or two on what was asked. */
  readonly lead?: string;
  readonly figures: readonly ReportFigure[];
  readonly tables: readonly ReportTable<Row>[];
  readonly remarks?: readonly string[];
}

const SHADE = 'color-mix(in srgb,var(--ink) 22%,transparent)';

/**
 * Tables of many columns want a wide page, on which drawings stand side by side. What is wider still scrolls by itself,
 * with a shadow where there is more to the right: a drawing shrunk to a telephone has letters that nobody can read. Names are not
 * broken; sentences and heads of several words are.
 */
const WIDE = `
main{max-width:78rem}
h1{overflow-wrap:anywhere}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(34rem,100%),1fr));gap:1.2rem;margin:1.2rem 0}
.figures section{margin:0;min-width:0}
.figures section:first-child:nth-last-child(odd){grid-column:1/-1}
.scroll svg{min-width:32rem;max-width:50rem}
.scroll{scrollbar-width:thin;background:linear-gradient(to left,var(--surface) 40%,transparent) right,linear-gradient(to left,${SHADE},transparent) right;background-size:2.5rem 100%,.7rem 100%;background-repeat:no-repeat;background-attachment:local,scroll}
table{width:auto;min-width:min(100%,44rem)}
th{vertical-align:bottom}
td:first-child,th:first-child{white-space:nowrap}
td.long,th.long,td.long:first-child{white-space:normal}
th.long{min-width:3.6rem} td.long{min-width:14rem}
`;

/** Letters from which a cell, or a head, may be broken. */
const LONG = { td: 32, th: 11 } as const;

/** Writes one page that needs nothing else, neither network nor scripts. */
export async function writeSimulationReport<Row>(path: string, report: SimulationReport<Row>): Promise<void> {
  const { title, lead, figures, tables, remarks } = report;
  const drawn: string[] = [];
  for (const figure of figures) {
    const caption = figure.caption === '' ? '' : `<p>${escaped(figure.caption)}</p>\n`;
    drawn.push(
      `<section>\n<h2>${escaped(figure.title)}</h2>\n${caption}<div class="scroll">${withVariables(await draw(figure))}</div>\n</section>`,
    );
  }
  await writeWhole(
    path,
    htmlPage(
      title,
      CSS + WIDE,
      `<main>
<header>
<h1>${escaped(title)}</h1>
${lead === undefined ? '' : `<p class="lead">${escaped(lead)}</p>\n`}</header>
${drawn.length === 0 ? '' : `<div class="figures">\n${drawn.join('\n')}\n</div>`}
${tables.map(section).join('\n')}
${said(remarks)}<footer>Simulated: nothing was run. The scheduler is the engine's own, steps cost what is predicted or was measured.</footer>
</main>`,
    ),
  );
}

function section<Row>({ title, rows, columns, remarks }: ReportTable<Row>): string {
  const shown = columns.filter(({ text }) => text !== undefined);
  const line = (cells: readonly string[], tag: keyof typeof LONG): string =>
    `<tr>${cells.map((cell) => `<${tag}${cell.length < LONG[tag] ? '' : ' class="long"'}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  const head = line(
    shown.map(({ head: name }) => name),
    'th',
  );
  const body = rows.map((row) =>
    line(
      shown.map(({ text }) => text!(row)),
      'td',
    ),
  );
  return `<section>\n<h2>${escaped(title)}</h2>\n<div class="scroll"><table><thead>${head}</thead><tbody>\n${body.join('\n')}\n</tbody></table></div>\n${said(remarks)}</section>`;
}

const said = (remarks: readonly string[] = []): string =>
  remarks.map((remark) => `<p class="key">${escaped(remark)}</p>\n`).join('');
