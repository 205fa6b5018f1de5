import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { buildBrowser } from '../../../scripts/build-browser.mjs';
import { buildSite } from '../../../scripts/build-site.mjs';
import { chromiumMissing, launchChromium, launchWithProfile } from '../../support/chromium.js';
import { firefoxMissing, openFirefox } from '../../support/firefox.js';
import { serveStatic, type StaticServer } from '../../support/static-server.js';
import { roundTimestamps } from './rounding.js';

/** Written in by the build. */
declare const FIGURES_ROOT: string;

/** A page with the library as `ridgepoint`, in either browser. */
export interface Tab {
  /** Runs a function in the page, which sees nothing but its argument. */
  evaluate<A, T>(run: (argument: A) => T | Promise<T>, argument?: A): Promise<T>;
}

export interface ChromiumTab extends Tab {
  readonly page: Page;
  /** Another tab, beside it. */
  another(): Promise<ChromiumTab>;
}

const BLANK = `<!doctype html><title>figures</title><input type="file" id="files" webkitdirectory><script type="module">
window.ridgepoint = await import('/package/dist/browser/index.js');
</script>`;

/** What is served to the browsers: the library, the worker that measures, and what is put into `extra`. */
export class Built {
  readonly root = FIGURES_ROOT;
  readonly #folder = mkdtempSync(join(tmpdir(), 'ridgepoint-figures-'));
  readonly extra = join(this.#folder, 'extra');
  readonly #closers: (() => Promise<unknown>)[] = [];
  #host: StaticServer | undefined;

  get #folders(): Record<string, string> {
    return {
      '/package/dist/browser/': join(this.#folder, 'library'),
      '/package/models/': join(this.root, 'models'),
      '/site/': join(this.#folder, 'site'),
      '/extra/': this.extra,
    };
  }

  get url(): string {
    return this.#host!.url;
  }

  async build(): Promise<void> {
    await buildBrowser(this.root, join(this.#folder, 'library'));
    await buildSite(this.root, join(this.#folder, 'site'));
    writeFileSync(join(this.#folder, 'site', 'rounding.js'), `(${roundTimestamps.toString()})();\n`);
    writeFileSync(
      join(this.#folder, 'site', 'measure-rounded.js'),
      "import './rounding.js';\nimport './ridgepoint-measure.js';\n",
    );
    mkdirSync(this.extra);
    writeFileSync(join(this.extra, 'blank.html'), BLANK);
    this.#host = await serveStatic({ folders: this.#folders });
  }

  /** @throws Error where there is no Chromium */
  async chromium(): Promise<ChromiumTab> {
    const browser = await launchChromium();
    if (browser === undefined) throw new Error(chromiumMissing);
    this.#closers.push(() => browser.close());
    return this.#tab(await browser.newContext());
  }

  /**
   * What a page of it stores lies on the disk, as with a browser that somebody uses.
   *
   * @throws Error where there is no Chromium
   */
  async chromiumWithProfile(): Promise<ChromiumTab> {
    const context = await launchWithProfile(join(this.#folder, 'profile'));
    if (context === undefined) throw new Error(chromiumMissing);
    this.#closers.push(() => context.close());
    return this.#tab(context);
  }

  #tab(context: BrowserContext): Promise<ChromiumTab> {
    context.setDefaultTimeout(1_200_000);
    const open = async (): Promise<ChromiumTab> => {
      const page = await context.newPage();
      await page.goto(`${this.url}/extra/blank.html`);
      await page.waitForFunction(() => 'ridgepoint' in window);
      return { page, another: open, evaluate: (run, argument?) => page.evaluate(run as never, argument as never) };
    };
    return open();
  }

  /** @throws Error where there is no Firefox */
  async firefox(): Promise<Tab> {
    const page = await openFirefox(this.#folders);
    if (page === undefined) throw new Error(firefoxMissing);
    this.#closers.push(() => page.close());
    return page;
  }

  /** Ends the browsers that were started. */
  async closeBrowsers(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close();
  }

  async close(): Promise<void> {
    await this.closeBrowsers();
    await this.#host?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
