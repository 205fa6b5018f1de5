import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { buildSite } from '../../scripts/build-site.mjs';
import { answerFile } from '../../src/cli/commands/web/static-files.js';
import { chromiumMissing, launchChromium } from '../support/chromium.js';

const root = join(import.meta.dirname, '..', '..');
const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly target: readonly string[] }[];
}

const site = mkdtempSync(join(tmpdir(), 'ridgepoint-site-'));
const complaints: string[] = [];
let browser: Browser | undefined;
let server: Server;
let page: Page;

beforeAll(async () => {
  browser = await launchChromium();
  await buildSite(root, site);
  const mounts = [
    ['/models/', join(root, 'models')],
    ['/', site],
  ] as const;
  server = createServer((request, response) => void answerFile(mounts, request, response));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  if (browser === undefined) return;
  page = await browser.newPage({ viewport: { width: 360, height: 740 } });
  page.setDefaultTimeout(600_000);
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
afterAll(async () => {
  await browser?.close();
  server.closeAllConnections();
  server.close();
  rmSync(site, { recursive: true });
});

const need = ({ skip }: Pick<TestContext, 'skip'>): void => skip(browser === undefined, chromiumMissing);
const replies = () => page.locator('.turn.assistant');

/** Sends a prompt by the keyboard alone, and waits for the end of its reply. */
async function send(prompt: string, tokens: number): Promise<string> {
  await page.locator('summary', { hasText: 'Sampling and' }).focus();
  await page.fill('#max-tokens', String(tokens));
  await page.fill('#temperature', '0');
  await page.fill('#prompt', prompt);
  await page.focus('#prompt');
  await page.keyboard.press('Enter');
  await page.locator('#stop:disabled').waitFor();
  await page.waitForFunction(() => document.querySelector('.turn.assistant:last-child :is(.figures, .wrong)') !== null);
  return (await replies().last().locator('.text').textContent()) ?? '';
}

describe('the page', () => {
  it('writes on from a prompt, under a policy that allows nothing foreign, and says how fast', async (context) => {
    need(context);
    await page.waitForFunction(() => /^tiny-tales in/.test(document.querySelector('#status')?.textContent ?? ''));
    await page.locator('summary', { hasText: 'Sampling and' }).click();
    expect((await send('Once upon a time', 24)).length).toBeGreaterThan(20);
    const figures = await replies().last().locator('.figures').textContent();
    expect(figures).toMatch(/^first token after \d+ ms, [\d.]+ ms a token \([\d.]+ tokens\/s\), 24 tokens; /);
    expect(complaints).toEqual([]);
  });

  it('writes another reply in place of the last, and stops one', async (context) => {
    need(context);
    const before = await replies().count();
    await page.fill('#max-tokens', '2000');
    await page.click('#again');
    await page.click('#stop');
    await page.locator('.turn.assistant:last-child .figures').waitFor();
    expect(await replies().count()).toBe(before);
    expect(await replies().last().locator('.figures').textContent()).toMatch(/stopped$/);
  });

  it('takes a turn back for another, and all after it, unless one thinks better of it', async (context) => {
    need(context);
    await page.click('#new-chat');
    await send('Once upon a time', 4);
    await send(' Tom', 4);
    await page.locator('.turn.user .edit').first().click();
    expect(await page.inputValue('#prompt')).toBe('Once upon a time');
    await page.keyboard.press('Escape');
    expect(await page.locator('.turn').count()).toBe(4);
    await page.locator('.turn.user .edit').first().click();
    await send('There was a fox', 4);
    expect(await page.locator('.turn.user .text').allTextContents()).toEqual(['There was a fox']);
    expect(await replies().count()).toBe(1);
    expect(await page.locator('#editing').isHidden()).toBe(true);
  });

  it('shows markup as the text that it is', async (context) => {
    need(context);
    const markup = '<img src=x onerror="document.title=1"><script>document.title = 1</script>';
    await send(markup, 2);
    expect(await page.locator('.turn.user .text').last().textContent()).toBe(markup);
    expect(await page.locator('#turns img, #turns script').count()).toBe(0);
    expect(await page.title()).toBe('Ridgepoint');
  });

  it('shows markup in a reply as the text that it is, too', async (context) => {
    need(context);
    const markup = '<img src=x onerror="document.title=1"><b>bold</b>';
    const said = [
      { role: 'user', content: 'Write a page.' },
      { role: 'assistant', content: markup },
    ];
    const [file, count] = [Buffer.from(JSON.stringify(said)), await page.locator('#chats option').count()];
    await page.setInputFiles('#chat-files', { name: 'said.json', mimeType: 'application/json', buffer: file });
    await page.waitForFunction((count) => document.querySelectorAll('#chats option').length > count, count);
    await replies().last().locator('.text', { hasText: '<b>' }).waitFor();
    expect(await replies().last().locator('.text').textContent()).toBe(markup);
    expect(await page.locator('#turns :is(img, b)').count()).toBe(0);
    expect(await page.title()).toBe('Ridgepoint');
  });

  it('keeps what was said over a reload, and fits 360 px', async (context) => {
    need(context);
    const turns = await page.locator('.turn').count();
    await page.reload();
    expect(await page.locator('.turn').count()).toBe(turns);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  });

  it('has several chats, each with options of its own, named and deleted', async (context) => {
    need(context);
    const names = () => page.locator('#chats option').allTextContents();
    const before = (await names()).length;
    await page.locator('summary', { hasText: 'Sampling and' }).click();
    await page.click('#new-chat');
    await page.fill('#top-k', '7');
    await send('A fox', 4);
    await page.click('#rename');
    await page.keyboard.type('The fox');
    await page.keyboard.press('Enter');
    await page.click('#new-chat');
    expect(await page.inputValue('#top-k')).toBe('');
    expect(await page.locator('.turn').count()).toBe(0);
    await send('A bear', 4);
    expect((await names()).slice(0, 2)).toEqual(['A bear', 'The fox']);
    await page.selectOption('#chats', { label: 'The fox' });
    expect(await page.inputValue('#top-k')).toBe('7');
    expect(await page.locator('.turn.user .text').allTextContents()).toEqual(['A fox']);
    const figures = await page.locator('.turn .figures').allTextContents();
    await page.reload();
    expect(await page.locator('#chats option:checked').textContent()).toBe('The fox');
    expect(await page.locator('.turn .figures').allTextContents()).toEqual(figures);
    page.once('dialog', (dialog) => void dialog.accept());
    await page.click('#delete-chat');
    expect(await names()).toHaveLength(before + 1);
    expect(await page.locator('.turn.user .text').allTextContents()).toEqual(['A bear']);
  });

  it('goes on with a text, also one of the model’s that was put right', async (context) => {
    need(context);
    await page.waitForFunction(() => /^tiny-tales in/.test(document.querySelector('#status')?.textContent ?? ''));
    // It has no template, so nothing else can be chosen.
    expect(await page.locator('#continues').isChecked()).toBe(true);
    expect(await page.locator('#continues').isDisabled()).toBe(true);
    await page.locator('summary', { hasText: 'Sampling and' }).click();
    await send('', 4);
    expect(await page.locator('.turn').count()).toBe(3);
    await page.locator('.turn.assistant .edit').first().click();
    await send(' a red ball', 4);
    expect(await page.locator('.turn .text').allTextContents()).toEqual([
      'A bear',
      ' a red ball',
      expect.stringMatching(/./),
    ]);
  });

  it('exports a chat and takes it in again, and says what is no chat', async (context) => {
    need(context);
    await page.locator('summary', { hasText: 'Export' }).click();
    const saved = async (button: string): Promise<string> => {
      const [download] = await Promise.all([page.waitForEvent('download'), page.click(button)]);
      return readFileSync(await download.path(), 'utf8');
    };
    const json = await saved('#export-json');
    expect(await saved('#export-markdown')).toMatch(/^# A bear\n\n## You\n\nA bear\n\n## Model\n\n a red ball\n/);
    const texts = await page.locator('.turn .text').allTextContents();
    const count = await page.locator('#chats option').count();
    const files = [
      ['good.json', json],
      ['bad.json', '<!doctype html>'],
    ].map(([name, text]) => ({ name, mimeType: 'application/json', buffer: Buffer.from(text) }));
    await page.setInputFiles('#chat-files', files);
    await page.waitForFunction(() => /added/.test(document.querySelector('#chat-status')?.textContent ?? ''));
    expect(await page.locator('#chat-status').textContent()).toBe(
      '1 chat was added. bad.json: is no JSON; choose a file that was exported as JSON.',
    );
    expect(await page.locator('#chats option').count()).toBe(count + 1);
    expect(await page.locator('.turn .text').allTextContents()).toEqual(texts);
  });

  it('says that a chat cannot be kept, and goes on with it', async (context) => {
    need(context);
    await page.evaluate(() => {
      for (let size = 2 ** 22; size >= 1; size /= 2) {
        try {
          localStorage.setItem(`filled ${size}`, 'x'.repeat(size));
        } catch {
          // Half as much, then.
        }
      }
    });
    await send('The room is full', 4);
    expect(await page.locator('#chat-status').textContent()).toMatch(/space for this site’s chats is full/);
    await page.evaluate(() => {
      for (let size = 2 ** 22; size >= 1; size /= 2) localStorage.removeItem(`filled ${size}`);
    });
    await send(' no more', 4);
    expect(await page.locator('#chat-status').textContent()).toBe('');
  });

  it('says what is wrong with a model, and loads another then', async (context) => {
    need(context);
    await page.fill('#model', 'nothing-of-that-name');
    await page.click('#model-form button[type=submit]');
    await page.locator('#status.wrong').waitFor();
    expect(await page.locator('#status').textContent()).toMatch(/neither the URL of a folder/);
    await page.fill('#model', '');
    await page.click('#model-form button[type=submit]');
    await page.waitForFunction(() => /^tiny-tales in/.test(document.querySelector('#status')?.textContent ?? ''));
    expect(await page.locator('#status.wrong').count()).toBe(0);
  });
});

describe('the tab of the GPU', () => {
  const figure = async (row: string): Promise<number> =>
    parseFloat((await page.locator('tr', { hasText: row }).first().locator('td').first().textContent()) ?? '');

  it('measures what the GPU can do, and says what follows for models', async (context) => {
    need(context);
    await page.focus('#chat-tab');
    await page.keyboard.press('ArrowRight');
    await page.click('#measure');
    await page.waitForFunction(() => /^Measured/.test(document.querySelector('#gpu-status')?.textContent ?? ''));
    for (const row of ['Memory, read', 'Multiply-adds in f32', 'A launch on the GPU', 'Recording a launch']) {
      expect(await figure(row), row).toBeGreaterThan(0);
    }
    const report = page.locator('#gpu-report');
    expect(await report.locator('.roofline .point').count()).toBe(2);
    expect(await report.locator('.roofline .roof').count()).toBe(1);
    await page.selectOption('#device', { index: 1 });
    await report.locator('.roofline .second').waitFor();
    expect(await report.locator('tr', { hasText: 'tiny-4k, int4-g32' }).count()).toBe(1);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  });

  it('keeps it over a reload, and has replies say what was expected of them', async (context) => {
    need(context);
    await page.reload();
    await page.waitForFunction(() => /^tiny-tales in/.test(document.querySelector('#status')?.textContent ?? ''));
    await page.locator('summary', { hasText: 'Sampling and' }).click();
    await page.click('#new-chat');
    await send('Once upon a time', 16);
    const expected = replies().last().locator('.expected');
    await expected.waitFor();
    expect(await expected.textContent()).toMatch(
      /^Expected: first token after [\d.]+ m?s, bound by [\w ]+; [\d.]+ ms a token, bound by [\w ]+\. It read [\d.]+ GB\/s, [\d.]+ % of/,
    );
    expect(complaints).toEqual([]);
  });
});

describe('for everybody', () => {
  /** What axe finds wrong with what is shown. */
  const faults = async (): Promise<string[]> => {
    await page.evaluate(readFileSync(axePath, 'utf8'));
    return page.evaluate(async () => {
      const { axe } = window as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
      const { violations } = await axe.run();
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
    });
  };

  it.each(['light', 'dark'] as const)('axe finds nothing wrong with either tab, %s', async (colorScheme) => {
    if (browser === undefined) return expect(browser).toBeUndefined();
    await page.emulateMedia({ colorScheme });
    // What is folded up is not looked at.
    await page.evaluate(() => document.querySelectorAll('details').forEach((each) => (each.open = true)));
    for (const tab of ['#gpu-tab', '#chat-tab']) {
      await page.click(tab);
      for (const width of [360, 1280]) {
        await page.setViewportSize({ width, height: 740 });
        expect(await faults(), `${tab} at ${width}`).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      }
    }
  });
});

describe('the files of the page', () => {
  /** A module and what it imports in any case. */
  const loadedWith = (file: string, loaded = new Set<string>()): ReadonlySet<string> => {
    if (loaded.has(file)) return loaded;
    loaded.add(file);
    const text = readFileSync(join(site, file), 'utf8');
    for (const [, next] of text.matchAll(/(?<!["'])\b(?:from|import)\s*"\.\/([^"]+)"/g)) loadedWith(next, loaded);
    return loaded;
  };

  it('are few and small at first sight, the engine apart: what measures and what exports comes when it is used', () => {
    const first = ['index.html', 'style.css', 'icon.svg', 'manifest.webmanifest', ...loadedWith('main.js')];
    const bytes = first.map((file) => gzipSync(readFileSync(join(site, file)), { level: 9 }).length);
    expect(first.length).toBeLessThan(10);
    expect(bytes.reduce((sum, each) => sum + each) / 1000).toBeLessThan(15);
  });
});

describe('the files that are served', () => {
  const at = (path: string, init?: RequestInit) =>
    fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, init);

  it('are given in part, and none from elsewhere', async () => {
    const part = await at('/models/tiny-tales/config.json', { headers: { range: 'bytes=0-0' } });
    expect([part.status, await part.text()]).toEqual([206, '{']);
    expect((await at('/models/..%2fpackage.json')).status).toBe(404);
    expect((await at('/models/tiny-tales/%2e%2e/%2e%2e/package.json')).status).toBe(404);
    expect((await at('/', { method: 'POST' })).status).toBe(405);
  });
});

describe('without its server', () => {
  it('the page opens and writes on, once it has been there', async (context) => {
    need(context);
    await page.evaluate(async () => void (await navigator.serviceWorker.ready));
    await page.reload();
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    const closed = new Promise((done) => server.close(done));
    server.closeAllConnections();
    await closed;
    await page.reload();
    await page.waitForFunction(() =>
      /^tiny-tales in|cannot|wrong/.test(document.querySelector('#status')?.textContent ?? ''),
    );
    expect(await page.locator('#status').textContent()).toMatch(/^tiny-tales in/);
    await page.locator('summary', { hasText: 'Sampling and' }).click();
    await page.click('#new-chat');
    expect((await send('Once upon a time', 8)).length).toBeGreaterThan(8);
  });
});
