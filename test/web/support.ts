import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { buildSite } from '../../scripts/build-site.mjs';
import { answerFile } from '../../src/cli/commands/web/static-files.js';
import { launchChromium } from '../support/chromium.js';

const root = join(import.meta.dirname, '..', '..');
const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** The page, built and served, in a browser. */
export interface OpenSite {
  readonly page: Page;
  /** What went wrong in the page that nobody saw to. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** @returns undefined where no Chromium can be started */
export async function openSite(): Promise<OpenSite | undefined> {
  const browser = await launchChromium();
  if (browser === undefined) return undefined;
  const site = mkdtempSync(join(tmpdir(), 'ridgepoint-site-'));
  await buildSite(root, site);
  const mounts = [
    ['/models/', join(root, 'models')],
    ['/', site],
  ] as const;
  const server = createServer((request, response) => void answerFile(mounts, request, response));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const page = await browser.newPage({ viewport: { width: 360, height: 740 } });
  page.setDefaultTimeout(600_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return {
    ...{ page, complaints },
    async close() {
      await browser.close();
      server.closeAllConnections();
      server.close();
      rmSync(site, { recursive: true });
    },
  };
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly target: readonly string[] }[];
}

/** What axe finds wrong with what is shown. */
export async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync(axePath, 'utf8'));
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
    const { violations } = await axe.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
  });
}
