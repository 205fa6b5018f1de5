import { element } from '../../src/web/page.js';

/** A button that does something. */
export function button(text: string, act: () => void): HTMLButtonElement {
  const made = element('button', '', text) as HTMLButtonElement;
  made.type = 'button';
  made.addEventListener('click', act);
  return made;
}

export function row(...parts: readonly HTMLElement[]): HTMLElement {
  const made = element('div', 'row');
  made.append(...parts);
  return made;
}

/** A line that is read out when it changes. */
export function statusLine(id: string): HTMLElement {
  const made = element('p', '');
  made.id = id;
  made.setAttribute('role', 'status');
  return made;
}
