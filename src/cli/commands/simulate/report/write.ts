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

/**
 * Drawings and tables wider than the page scroll by themselves, with a thin bar: a drawing shrunk to a
 * telephone has letters that nobody can read. Names in a table's first column are not broken.
 */
const WIDE = `
.scroll svg{min-width:32rem}
.scroll{scrollbar-width:thin}
td:first-child,th:first-child{white-space:nowrap}
`;

/** Writes one page that needs nothing else, neither network nor scripts. */
export async function writeSimulationReport<Row>(path: string, report: SimulationReport<Row>): Promise<void> {
  const { title, lead, figures, tables, remarks = [] } = report;
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
${drawn.join('\n')}
${tables.map(section).join('\n')}
${remarks.map((remark) => `<p class="key">${escaped(remark)}</p>`).join('\n')}
<footer>Simulated: nothing was run. The scheduler is the engine's own, steps cost what is predicted or was measured.</footer>
</main>`,
    ),
  );
}

function section<Row>({ title, rows, columns }: ReportTable<Row>): string {
  const shown = columns.filter(({ text }) => text !== undefined);
  const line = (cells: readonly string[], tag: 'th' | 'td'): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
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
  return `<section>\n<h2>${escaped(title)}</h2>\n<div class="scroll"><table><thead>${head}</thead><tbody>\n${body.join('\n')}\n</tbody></table></div>\n</section>`;
}
