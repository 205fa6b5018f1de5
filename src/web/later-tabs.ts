import type { PageModel } from './model.js';
import { element } from './page.js';

/** Tabs whose code is loaded when one of them is first opened. */
export type LaterTab = 'bench' | 'compare';

/** What these need of the page. */
export type PageEngine = Pick<PageModel, 'chosen' | 'release'>;

/** What their module exports. */
export interface LaterTabs {
  /** Fills a tab; once for each. */
  readonly fill: (tab: LaterTab, place: HTMLElement, engine: PageEngine) => void;
}

const filled = new Set<LaterTab>();

/** Opens a tab, which is filled when it is opened for the first time. */
export async function openLater(tab: LaterTab, engine: PageEngine): Promise<void> {
  if (filled.has(tab)) return;
  filled.add(tab);
  const place = document.getElementById(tab)!;
  try {
    // Built apart from the page, so that its first view has nothing of it.
    const { fill } = (await import(new URL('bench-tabs.js', location.href).href)) as LaterTabs;
    place.replaceChildren();
    fill(tab, place, engine);
  } catch (error) {
    filled.delete(tab);
    const why = `This tab could not be loaded (${(error as Error).message}); choose it again once there is a network.`;
    place.replaceChildren(element('p', 'wrong', why));
  }
}
