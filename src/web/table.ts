import { element } from './page.js';

/** A table with a caption, its first column heads of rows. */
export function table(caption: string, heads: readonly string[], rows: readonly (readonly string[])[]): HTMLElement {
  const made = element('table', '');
  const row = (cells: readonly string[], kinds: (at: number) => string): HTMLElement => {
    const line = element('tr', '');
    line.append(
      ...cells.map((cell, at) => {
        const kind = kinds(at);
        const one = element(kind.slice(0, 2), '', cell);
        if (kind !== 'td') one.setAttribute('scope', kind === 'th column' ? 'col' : 'row');
        return one;
      }),
    );
    return line;
  };
  const head = element('thead', '');
  head.append(row(heads, () => 'th column'));
  const body = element('tbody', '');
  body.append(...rows.map((cells) => row(cells, (at) => (at === 0 ? 'th row' : 'td'))));
  made.append(element('caption', '', caption), head, body);
  // A table that is too wide scrolls by itself, by the keyboard, too.
  const frame = element('div', 'wide');
  frame.tabIndex = 0;
  frame.setAttribute('role', 'region');
  frame.setAttribute('aria-label', caption);
  frame.append(made);
  return frame;
}
