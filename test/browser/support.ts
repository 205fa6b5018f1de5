import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { buildBrowser } from '../../scripts/build-browser.mjs';
import type * as Library from '../../src/platform/browser/index.js';
import { Engine } from '../../src/index.js';
import { chromiumMissing, launchChromium } from '../support/chromium.js';
import { stories } from '../checkpoint/support.js';
import { serveStatic, type StaticOptions, type StaticServer } from '../support/static-server.js';

declare global {
  interface Window {
    ridgepoint: typeof Library;
    engine: Library.Engine;
  }
}

const root = join(import.meta.dirname, '..', '..');

/** A browser, the library as it is built, and a host that serves it beside an empty page. */
export interface Bench {
  readonly browser: Browser;
  readonly host: StaticServer;
  /** Where the built files are. */
  readonly built: string;
  /** A new tab with the library as `ridgepoint`; `before` runs in it before all else. */
  readonly page: <T>(path?: string, before?: (argument: T) => void, argument?: T) => Promise<Page>;
  close(): Promise<void>;
}

const BLANK = `<!doctype html><title>blank</title><script type="module">
window.ridgepoint = await import('/package/dist/browser/index.js');
</script>`;

/** @returns undefined where no Chromium can be started */
export async function openBench(
  flags: readonly string[] = [],
  answer?: StaticOptions['answer'],
): Promise<Bench | undefined> {
  const browser = await launchChromium(...flags);
  if (browser === undefined) return undefined;
  const built = mkdtempSync(join(tmpdir(), 'ridgepoint-browser-'));
  await buildBrowser(root, built);
  writeFileSync(join(built, 'blank.html'), BLANK);
  const host = await serveStatic({
    folders: {
      ...{ '/package/dist/browser/': built, '/package/models/': join(root, 'models'), '/pages/': built },
      '/stories/': stories,
    },
    answer,
  });
  const context = await browser.newContext();
  context.setDefaultTimeout(600_000);
  return {
    browser,
    host,
    built,
    async page(path = '/pages/blank.html', before?, argument?) {
      const page = await context.newPage();
      if (before !== undefined) await page.addInitScript(before as (argument: unknown) => void, argument);
      await page.goto(host.url + path);
      await page.waitForFunction(() => 'ridgepoint' in window);
      return page;
    },
    async close() {
      await browser.close();
      await host.close();
      rmSync(built, { recursive: true });
    },
  };
}

export const PROMPT = 'Once upon a time';
export const GREEDY = { temperature: 0, maxTokens: 48 };

/** The tokens that Node chooses on the driver that the browser has. @param model default the embedded one */
export async function nodeIds(model?: string): Promise<readonly number[]> {
  await using engine = await Engine.load({ adapter: 'swiftshader', model });
  const { ids } = await engine.generate(PROMPT, GREEDY).result;
  return ids;
}

/** Skips a test by name where there is no browser. */
export function need(bench: Bench | undefined, { skip }: Pick<TestContext, 'skip'>): Bench {
  skip(bench === undefined, chromiumMissing);
  return bench!;
}

/** Loads an engine as `engine` of the page. @returns where it lives */
export function load(page: Page, options: object): Promise<string> {
  return page.evaluate(async (options) => {
    window.engine = await window.ridgepoint.Engine.load(options);
    return window.engine.place;
  }, options);
}

export const generated = (page: Page, options: object = GREEDY) =>
  page.evaluate(([prompt, options]) => window.engine.generate(prompt as string, options).result, [
    PROMPT,
    options,
  ] as const);
