/** The tabs "Bench" and "Compare" of the page, which it loads when one of them is opened. */
import './no-eval.js';
import type { LaterTab, PageEngine } from '../../src/web/later-tabs.js';
import { BenchTab } from './bench-tab.js';
import { CompareTab } from './compare-tab.js';

const results = new CompareTab();

/** Fills a tab. */
export function fill(tab: LaterTab, place: HTMLElement, engine: PageEngine): void {
  if (tab === 'compare') results.fill(place);
  else new BenchTab(place, engine, (result) => results.add('this tab', result));
}
