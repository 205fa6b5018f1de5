import { escaped } from './html.js';
import type { Figure } from './render.js';
import { withVariables } from './theme.js';

/** A figure with its drawing. */
export interface DrawnFigure extends Figure {
  readonly svg: string;
}

/** A figure as part of a page. */
export function section({ id, title, caption, key, svg }: DrawnFigure): string {
  return `<section id="${id}">
<h2>${escaped(title)}</h2>
<p>${escaped(caption)}</p>
${withVariables(svg)}
${key === undefined ? '' : `<p class="key">${escaped(key)}</p>`}
</section>`;
}
