import type { Built, Tab } from './tab.js';

/** Milliseconds between two looks at the clock. */
const EVERY = 4;

declare global {
  interface Window {
    longest: { since: number; gap: number };
  }
}

/** Has the page look at its clock again and again: what keeps it from that keeps it from everything else. */
const watch = (tab: Tab): Promise<void> =>
  tab.evaluate((every) => {
    window.longest = { since: performance.now(), gap: 0 };
    setInterval(() => {
      const now = performance.now();
      window.longest.gap = Math.max(window.longest.gap, now - window.longest.since - every);
      window.longest.since = now;
    }, every);
  }, EVERY);
const longest = (tab: Tab): Promise<number> =>
  tab.evaluate(() => {
    const { gap } = window.longest;
    window.longest.gap = 0;
    return gap;
  });

/**
 * The longest that a page is kept from its work while its worker loads and generates, beside a tab that does nothing: on
 * a busy machine both wait for a core.
 */
export async function stalls(built: Built): Promise<string[]> {
  const tab = await built.chromium();
  const idle = await tab.another();
  await watch(tab);
  await watch(idle);
  const lines: string[] = [];
  const during = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    await longest(tab);
    await longest(idle);
    await work();
    const [own, beside] = [await longest(tab), await longest(idle)];
    lines.push(`while ${what}: ${own.toFixed(0)} ms, in an idle tab beside it ${beside.toFixed(0)} ms`);
  };
  await during('nothing is done', () => new Promise((done) => setTimeout(done, 5000)));
  await during('tiny-tales loads', () =>
    tab.evaluate(async () => {
      window.engine = await window.ridgepoint.Engine.load();
      await window.engine.ready;
    }),
  );
  await during('it generates 400 tokens', () =>
    tab.evaluate(async () => {
      for await (const { text } of window.engine.generate('Once upon a time', { maxTokens: 400, ignoreEos: true })) {
        document.body.append(text);
      }
    }),
  );
  return lines;
}
