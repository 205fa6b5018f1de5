import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { CoreEngine } from '../../src/engine/engine.js';
import { chromiumMissing, launchChromium } from '../support/chromium.js';
import { loadReal } from './real.js';
import { post, start } from './support.js';

/** A machine that is priced, with a roof to draw. */
const machine = {
  price: { seconds: () => 0.005 },
  roof: { bytesPerSecond: 2e10, flopsPerSecond: 1e11 },
  work: () => ({ flops: 1e7, bytes: 7e6 }),
};

describe.each([360, 1280])('the page at %d px', (width) => {
  let engine: CoreEngine;
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await launchChromium();
    engine = await loadReal();
  });
  afterAll(async () => {
    await browser?.close();
    await engine.dispose();
  });

  /** What of the page reaches over its right edge. */
  const tooWide = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth);

  it('shows what the server does, answers, and explains a request, nothing of it cut off', async ({
    skip,
  }: TestContext) => {
    skip(browser === undefined, chromiumMissing);
    const { url } = await start(engine, { page: true, machine });
    const page = await browser!.newPage({ viewport: { width, height: 800 } });
    page.setDefaultTimeout(600_000);
    const complaints: string[] = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    // Works without a network: whatever else is asked for is a complaint.
    page.on('request', (request) => void (request.url().startsWith(url) || complaints.push(request.url())));
    await page.goto(`${url}/`);
    await page.waitForFunction(() => document.querySelector('#kv')!.textContent.includes('/'));
    expect(await page.locator('#who').textContent()).toContain('tiny-tales');
    expect(await tooWide(page)).toBe(width);

    await post(`${url}/v1/completions`, { prompt: 'The fox', n: 4, max_tokens: 8, ignore_eos: true }, { 'x-request-id': 'four' }); // prettier-ignore
    await page.fill('#tokens', '12');
    await page.click('#send');
    await page.waitForFunction(() => /^12 tokens; first after /.test(document.querySelector('#answered')!.textContent));
    expect((await page.locator('#answer').textContent())!.length).toBeGreaterThan(10);
    await page.locator('#requests button', { hasText: 'four' }).click();
    await page.locator('#explained .bar').nth(3).waitFor();
    expect(await page.locator('#explained h3').allTextContents()).toEqual(
      [1, 2, 3, 4].map((at) => `Choice ${at} of 4`),
    );
    expect(await page.locator('#explained').textContent()).toMatch(
      /its own tokens: [\d.]+ ms.*Took [\d.]+ ms; replayed .* without another of its choices/,
    );
    // Plots have their marks, and the roof its step.
    for (const [plot, mark] of [
      ['#steps', 'rect'],
      ['#ttft', 'circle'],
      ['#itl', 'circle'],
      ['#roof', 'circle'],
    ]) {
      await page.locator(`${plot} ${mark}`).first().waitFor();
    }
    expect(await page.locator('#roofnote').textContent()).toMatch(/^Roof: 100 GFLOP\/s, 20\.0 GB\/s\. Last step: /);
    expect(await tooWide(page)).toBe(width);
    // A wide table moves inside of its own box.
    const [seen, whole] = await page.locator('.scroll').evaluate(({ clientWidth, scrollWidth }) => [clientWidth, scrollWidth]); // prettier-ignore
    expect(seen).toBeLessThan(width);
    if (width > 1000) expect(whole).toBe(seen);
    expect(complaints).toEqual([]);
  });
});
