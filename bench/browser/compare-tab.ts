import { keptCalibrations } from '../../src/web/calibrations.js';
import { element, megabytes } from '../../src/web/page.js';
import { rooflineFigure } from '../../src/web/roofline-figure.js';
import { table } from '../../src/web/table.js';
import { compareResults, whyApart, type NamedResult } from '../compare/results/compare-results.js';
import { resultsCsv, resultsText } from '../compare/results/results-text.js';
import { underRoofs, type ResultUnderRoof } from '../compare/results/roofs.js';
import { parseResult } from '../read-result.js';
import type { BenchResult } from '../schema.js';
import { figure as digits } from '../tables/markdown.js';
import { fromMarkdown } from './from-markdown.js';
import { button, row, statusLine } from './parts.js';
import { save } from './save.js';

/** The largest results are of some megabytes; what is larger is something else, and would hold up the page. */
const MOST_BYTES = 32e6;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Roofs over each other, what each result reached below its own, and the same as a table. */
function roofs(all: readonly ResultUnderRoof[]): HTMLElement[] {
  const lettered = all.map((each, at) => ({ ...each, letter: LETTERS[at % LETTERS.length] }));
  const drawn = lettered.flatMap(({ roof, letter, name }) =>
    roof === undefined ? [] : [{ name: `${letter} ${name}`, ...roof }],
  );
  if (drawn.length === 0) {
    const how =
      'None of these results brings its roof along: measure the GPU, or calibrate the machine, before a bench.';
    return [element('p', '', how)];
  }
  const points = lettered.flatMap(({ letter, reached }) =>
    reached.map(({ phase, intensity, rate }) => ({ name: `${letter} ${phase}`, intensity, rate })),
  );
  const frame = element('figure', 'wide');
  frame.tabIndex = 0;
  frame.append(rooflineFigure(drawn, points));
  const rows = lettered.map(({ letter, name, roof, reached }) => [
    `${letter} ${name}`,
    digits(roof && roof.flops / 1e9),
    digits(roof && roof.bandwidth / 1e9),
    ...(['prefill', 'decode'] as const).map((phase) => {
      const found = reached.find((each) => each.phase === phase);
      return digits(found && found.rate / 1e9);
    }),
    roof?.source ?? 'not known',
  ]);
  const heads = ['Result', 'GFLOP/s at most', 'GB/s at most', 'Prefill GFLOP/s', 'Decode GFLOP/s', 'Roof'];
  return [frame, table('Roofs, and what was reached below them', heads, rows)];
}

/** The tab "Compare": results of any machines and browsers beside each other. */
export class CompareTab {
  readonly #results: NamedResult[] = [];
  readonly #input = document.createElement('input');
  readonly #drop = element('div', 'drop');
  readonly #status = statusLine('compare-status');
  readonly #refused = element('ul', 'wrong');
  readonly #list = element('ol', '');
  readonly #report = element('div', '');
  readonly #csv = button('Download CSV', () => save('comparison.csv', resultsCsv(this.#compared()), 'text/csv'));
  readonly #markdown = button('Download Markdown', () =>
    save('comparison.md', resultsText(this.#compared()), 'text/markdown'),
  );

  fill(place: HTMLElement): void {
    this.#input.type = 'file';
    this.#input.multiple = true;
    this.#input.accept = '.json,application/json';
    this.#input.id = 'compare-files';
    const label = element('label', '', 'Results, two or more: pick them, or drop them here') as HTMLLabelElement;
    label.htmlFor = this.#input.id;
    this.#input.addEventListener('change', () => void this.#take([...(this.#input.files ?? [])]));
    this.#drop.append(label, this.#input);
    place.addEventListener('dragover', (event) => event.preventDefault());
    place.addEventListener('drop', (event) => {
      event.preventDefault();
      void this.#take([...(event.dataTransfer?.files ?? [])]);
    });
    this.#refused.id = 'compare-refused';
    this.#list.id = 'compare-list';
    this.#report.id = 'compare-report';
    this.#csv.id = 'compare-csv';
    this.#markdown.id = 'compare-markdown';
    place.append(
      element(
        'p',
        '',
        'Sets results of "ridgepoint bench" and of the tab Bench beside each other: other GPUs, drivers, browsers, Node. ' +
          'Ratios are to the first. The files are read here and go nowhere.',
      ),
      this.#drop,
      ...[this.#status, this.#refused, this.#list],
      row(this.#csv, this.#markdown),
      this.#report,
    );
    this.#show();
  }

  /** Sets a result beside those that are there. @throws RidgepointError where it has nothing in common with them */
  add(name: string, result: BenchResult): string | undefined {
    const same = this.#results.filter((each) => each.name === name || each.name.startsWith(`${name} (`)).length;
    const named = { name: same === 0 ? name : `${name} (${same + 1})`, result };
    const why = whyApart(named, this.#results[0] ?? named);
    if (why !== undefined) return `${named.name}: ${why}`;
    this.#results.push(named);
    this.#show();
    return undefined;
  }

  /** Reads files one after the other; what is wrong with one is said, and the others stay. */
  async #take(files: readonly File[]): Promise<void> {
    const refused: string[] = [];
    for (const file of files) {
      const why = await this.#read(file).catch((error: Error) => error.message);
      if (why !== undefined) refused.push(why);
    }
    this.#input.value = '';
    this.#refused.replaceChildren(...refused.map((why) => element('li', '', why)));
    const taken = files.length - refused.length;
    this.#status.textContent = `${taken} of ${files.length} files taken${refused.length === 0 ? '.' : '; what is wrong with the others stands below.'}`;
  }

  async #read(file: File): Promise<string | undefined> {
    // A bar would part the cells of a table.
    const name = file.name.replaceAll('|', '¦');
    if (file.size > MOST_BYTES)
      return `${name}: has ${megabytes(file.size)}, and a result has at most ${megabytes(MOST_BYTES)}; pick a file that "ridgepoint bench" wrote`;
    return this.add(name.replace(/\.json$/i, ''), parseResult(await file.text(), name));
  }

  #compared(): ReturnType<typeof compareResults> {
    return compareResults(this.#results);
  }

  #show(): void {
    this.#list.replaceChildren(
      ...this.#results.map((each, at) => {
        const { context, date } = each.result;
        const item = element('li', '', `${each.name}: ${context.model}, ${context.adapter}, ${date.slice(0, 10)} `);
        item.append(button(`Remove ${each.name}`, () => this.#remove(at)));
        return item;
      }),
    );
    const enough = this.#results.length >= 2;
    this.#csv.disabled = this.#markdown.disabled = !enough;
    this.#report.replaceChildren(
      ...(enough
        ? [...fromMarkdown(resultsText(this.#compared())), ...roofs(underRoofs(this.#results, keptCalibrations()))]
        : []),
    );
  }

  /** Without the first, the second is what others are compared with; who has nothing in common with it goes, too. */
  #remove(at: number): void {
    this.#results.splice(at, 1);
    const [first] = this.#results;
    const apart = this.#results.filter((each) => whyApart(each, first) !== undefined);
    for (const each of apart) this.#results.splice(this.#results.indexOf(each), 1);
    this.#refused.replaceChildren(...apart.map((each) => element('li', '', `${each.name}: ${whyApart(each, first)!}`)));
    this.#status.textContent = '';
    this.#show();
    this.#input.focus();
  }
}
