import { element } from '../../src/web/page.js';
import { table } from '../../src/web/table.js';

/** Cells of a line of a table. */
const cellsOf = (line: string): string[] =>
  line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());

/**
 * The heads of a table, each once: a column's place says which `p90` is meant. One without a column of numbers, which
 * stand to the right, is of words, which may break.
 */
function tableOf(lines: readonly string[], caption: string): HTMLElement {
  const [head, rule, ...rows] = lines.map(cellsOf);
  const made = table(caption, head, rows);
  made.classList.toggle('words', !rule.some((each) => each.endsWith(':')));
  return made;
}

/**
 * The tables of a report as parts of a page: what the command line prints and what the page shows are one text. Knows
 * what the reports have: heads, tables, lists, paragraphs.
 */
export function fromMarkdown(text: string): HTMLElement[] {
  let caption = '';
  return text.split(/\n{2,}/).flatMap((block): HTMLElement[] => {
    const lines = block.trim().split('\n');
    if (lines[0].startsWith('## ')) {
      caption = lines[0].slice(3);
      return [];
    }
    if (lines[0].startsWith('|')) return [tableOf(lines, caption)];
    if (lines[0].startsWith('- ')) {
      const list = element('ul', '');
      list.append(...lines.map((line) => element('li', '', line.slice(2))));
      return [element('h2', '', caption), list];
    }
    return lines.filter((line) => line !== '').map((line) => element('p', '', line));
  });
}
