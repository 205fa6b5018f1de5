import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { Page } from 'playwright-core';
import { FakeHub } from './hub.js';
import { maskAdapter } from './masks.js';
import { shortenMemory, type Memory, type ShortMemory } from './short-memory.js';
import { generated, load, need, nodeIds, openBench, type Bench } from './support.js';

const tinyTales = join(import.meta.dirname, '..', '..', 'models', 'tiny-tales');
const hub = new FakeHub();
const folder = join(mkdtempSync(join(tmpdir(), 'ridgepoint-picked-')), 'tiny-tales');
/** The same without what makes texts of ids. */
const mute = join(folder, '..', 'mute');
let opened: Bench | undefined;

beforeAll(async () => {
  cpSync(tinyTales, folder, { recursive: true, filter: (path) => !path.includes('recipe') });
  cpSync(tinyTales, mute, {
    recursive: true,
    filter: (path) => !/recipe|tokenizer/.test(path.slice(tinyTales.length)),
  });
  opened = await openBench(['--host-resolver-rules=MAP insecure.test 127.0.0.1'], hub.answer);
});
afterAll(async () => {
  await opened?.close();
  rmSync(join(folder, '..'), { recursive: true });
});

const bench = (context: Pick<TestContext, 'skip'>): Bench => need(opened, context);

/** Why an engine cannot be loaded, in words. */
const refusal = (page: Page, options: object): Promise<string> =>
  page.evaluate(async (options) => {
    const error = await window.ridgepoint.Engine.load(options).catch((error: Error) => error);
    return error instanceof Error ? error.message : 'it was loaded';
  }, options);

describe('a browser that gives no GPU', () => {
  it('to a page that is not secure is told from an old one', async (context) => {
    const { browser, host } = bench(context);
    const page = await browser.newPage();
    await page.goto(`${host.url.replace('127.0.0.1', 'insecure.test')}/pages/blank.html`);
    await page.waitForFunction(() => 'ridgepoint' in window);
    expect(await page.evaluate(() => window.isSecureContext)).toBe(false);
    expect(await refusal(page, { worker: false })).toMatch(/to secure pages only; open this one by https, or as http:/);
    await page.close();
  });

  it('is asked once more, and then said where to look', async (context) => {
    const page = await bench(context).page('/pages/blank.html', maskAdapter, { none: true });
    expect(await refusal(page, { worker: false })).toMatch(
      /147 finds no GPU that it would use; see chrome:\/\/gpu for/,
    );
    expect(await page.evaluate(() => (window as unknown as { asked: number }).asked)).toBe(2);
    await page.close();
  });
});

describe('a GPU whose memory runs out while a model is loaded', () => {
  const inPage = (page: Page): Promise<Memory> => page.evaluate(() => (window as unknown as { memory: Memory }).memory);
  const have = (page: Page, memory: ShortMemory): Promise<unknown> =>
    page.evaluate((memory) => Object.assign((window as unknown as { memory: Memory }).memory, memory), memory);

  it('is told of with what was asked, what there was and what would fit, and holds nothing after that', async (context) => {
    const page = await bench(context).page('/pages/blank.html', shortenMemory, { bytes: 300 * 2 ** 20 });
    const said = await refusal(page, { worker: false, kvCacheTokens: 200_000 });
    expect(said).toMatch(
      /^out of GPU memory: tiny-tales in f16 asked for \d+ MiB beside the 0 MiB in use on .*swiftshader, which had \d+ MiB of them; a KV cache for one sequence of 512 tokens would fit \(kvCacheBytes \d+\)$/,
    );
    expect(await inPage(page)).toMatchObject({ live: 0 });
    expect((await inPage(page)).refused).toBeGreaterThan(0);
    // What would fit does, in the same page.
    const kvCacheBytes = Number(/kvCacheBytes (\d+)/.exec(said)![1]);
    expect(await load(page, { worker: false, kvCacheBytes })).toBe('page');
    expect((await generated(page)).ids).toEqual(await nodeIds());
    await page.evaluate(() => window.engine.dispose());
    expect(await inPage(page)).toMatchObject({ live: 0 });
    await page.close();
  });

  it.each([
    [
      'what lies between operations',
      'logits',
      /^out of GPU memory: activations asked for \d+ MiB beside the \d+ MiB in use on .*; /,
    ],
    [
      'uploads',
      'upload',
      /^out of GPU memory: upload of \d MiB beside the \d+ MiB in use on .*; use a smaller contextLength,/,
    ],
  ])('says so of %s, too', async (_, label, message) => {
    if (opened === undefined) return expect(opened).toBeUndefined();
    const page = await opened.page('/pages/blank.html', shortenMemory, { bytes: 2 ** 40, label });
    expect(await refusal(page, { worker: false })).toMatch(message);
    expect(await inPage(page)).toMatchObject({ live: 0, refused: expect.any(Number) as number });
    await have(page, { bytes: 2 ** 40, label: 'none' });
    await load(page, { worker: false });
    expect((await generated(page, { temperature: 0, maxTokens: 4 })).ids).toHaveLength(4);
    await page.close();
  });
});

describe('a model that the browser has no room for', () => {
  it('is not begun: what it takes, what there is, and what to do', async (context) => {
    const page = await bench(context).page();
    const session = await page.context().newCDPSession(page);
    const origin = new URL(page.url()).origin;
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 3 * 2 ** 20 });
    const said = await page.evaluate(() =>
      window.ridgepoint.downloadModel({ model: 'some/model', hubUrl: '/hub/' }).catch((error: Error) => error.message),
    );
    expect(said).toMatch(
      /^the model takes \d+ MiB more on disk, and the browser has \d MiB left for this site; delete stored models, or/,
    );
    expect(hub.requests.filter((request) => request.includes('.safetensors'))).toEqual([]);
    await session.send('Storage.overrideQuotaForOrigin', { origin });
    await page.evaluate(() => window.ridgepoint.deleteModel('some/model'));
    await page.close();
  });
});

describe('a folder that was chosen', () => {
  let page: Page;
  const choose = async (picked = folder): Promise<void> => {
    await page.setContent('<input type="file" webkitdirectory>');
    await page.setInputFiles('input', picked);
  };
  const loadChosen = () =>
    page.evaluate(async () => {
      const model = [...document.querySelector('input')!.files!];
      const loaded = await window.ridgepoint.Engine.load({ model }).catch((error: Error) => error);
      if (loaded instanceof Error) return loaded.message;
      window.engine = loaded;
      return 'loaded';
    });

  it('is read where it lies, and chooses the tokens that Node does', async (context) => {
    page = await bench(context).page();
    await choose();
    expect(await loadChosen()).toBe('loaded');
    expect((await generated(page)).ids).toEqual(await nodeIds());
    await page.evaluate(() => window.engine.dispose());
    expect(await page.evaluate(() => window.ridgepoint.listModels())).toEqual([]);
  });

  it('without a tokenizer takes ids, and says what texts want', async (context) => {
    bench(context);
    await choose(mute);
    expect(await loadChosen()).toBe('loaded');
    const said = await page.evaluate(async () => {
      const error = await window.engine.generate('Once').result.catch((error: Error) => error);
      return error instanceof Error ? error.message : '';
    });
    expect(said).toMatch(/tokenizer/);
    const ids = await page.evaluate(
      async () => (await window.engine.generate([1, 5], { temperature: 0, maxTokens: 3, ignoreEos: true }).result).ids,
    );
    expect(ids).toHaveLength(3);
    await page.evaluate(() => window.engine.dispose());
  });

  it('and was changed since is to be picked again', async (context) => {
    bench(context);
    await choose();
    appendFileSync(join(folder, 'config.json'), ' ');
    expect(await loadChosen()).toBe(
      'config.json: was changed, moved or deleted since it was picked; pick the folder again',
    );
  });

  it('of another architecture, or without JSON where there should be, is named as such', async (context) => {
    bench(context);
    const told = await page.evaluate(async () => {
      const attempt = async (text: string): Promise<string> => {
        const model = [new File([text], 'config.json')];
        const error = await window.ridgepoint.Engine.load({ model }).catch((error: Error) => error);
        return error instanceof Error ? error.message : '';
      };
      return [
        await attempt('{"architectures": ["WhisperForConditionalGeneration"], "hidden_size": 8}'),
        await attempt('<!doctype html><title>App</title>'),
        await attempt('{"architectures": ['),
      ];
    });
    expect(told[0]).toMatch(/WhisperForConditionalGeneration/);
    expect(told[1]).toMatch(/config\.json: is a web page/);
    expect(told[2]).toMatch(/config\.json: .*JSON/);
  });
});
