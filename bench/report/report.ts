import { join } from 'node:path';
import type { Comparison } from '../compare/compare.js';
import { writeWhole } from '../store.js';
import { png } from './png.js';
import { drawFigures } from './draw-figures.js';
import { page } from './page.js';
import { colour } from './theme.js';

/** Writes the page, the figures as files, or all of it; returns the paths. */
export async function writeReport(
  comparison: Comparison,
  to: { readonly report?: string; readonly svg?: string; readonly png?: string },
): Promise<string[]> {
  const figures = await drawFigures(comparison);
  const files: [string, string | Uint8Array][] = [];
  if (to.report !== undefined) files.push([to.report, page(comparison, figures)]);
  if (to.svg !== undefined) {
    for (const { id, svg } of figures) files.push([join(to.svg, `${id}.svg`), onPaper(svg)]);
  }
  if (to.png !== undefined) {
    for (const { id, svg } of figures) files.push([join(to.png, `${id}.png`), await png(onPaper(svg))]);
  }
  for (const [path, content] of files) await writeWhole(path, content);
  return files.map(([path]) => path);
}

/** A file of its own has no page behind it. */
export const onPaper = (svg: string): string =>
  svg.replace(/(<svg[^>]*>)/, `$1<rect width="100%" height="100%" fill="${colour('surface')}"/>`);
