import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, type TestContext } from 'vitest';
import type { Page } from 'playwright-core';
import { serveStatic } from '../support/static-server.js';
import { FakeHub, type Trick } from './hub.js';
import { generated, load, need, openBench, type Bench } from './support.js';

const hub = new FakeHub();
let opened: Bench | undefined;
let page: Page;

beforeAll(async () => {
  opened = await openBench([], hub.answer);
  if (opened !== undefined) page = await opened.page();
});
afterAll(() => opened?.close());

const bench = (context: Pick<TestContext, 'skip'>): Bench => need(opened, context);

beforeEach(async () => {
  if (opened === undefined) return;
  await page.evaluate(() => window.ridgepoint.deleteModel('some/model'));
  hub.tricks.length = 0;
  hub.requests = [];
  hub.sent = 0;
});

/** @returns what went wrong, in words */
const download = (model: string, options: object = {}): Promise<string | undefined> =>
  page.evaluate(
    async ([model, options]) => {
      try {
        await window.ridgepoint.downloadModel({ model, hubUrl: '/hub/', ...options });
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    },
    [model, options] as const,
  );

const stored = () => page.evaluate(() => window.ridgepoint.listModels());
const ranges = (): string[] =>
  hub.requests.filter((request) => request.includes('.safetensors')).map((request) => request.split(' ')[1] ?? 'all');

describe('a model of the Hub', () => {
  it('resumes inside a file after each cut, and is then loaded without a request', async (context) => {
    bench(context);
    hub.tricks.push({ cutAfter: 1_000_000 }, { cutAfter: 2_000_000 }, { cutAfter: 1_500_000 });
    expect(await download('some/model')).toBeUndefined();
    expect(hub.sent).toBeLessThanOrEqual(hub.size * 1.01);
    expect(ranges()).toHaveLength(4);
    expect(await stored()).toMatchObject([{ source: 'some/model', complete: true }]);
    hub.requests = [];
    await load(page, { model: 'some/model', hubUrl: '/hub/' });
    expect((await generated(page, { temperature: 0, maxTokens: 4 })).ids).toHaveLength(4);
    expect(hub.requests).toEqual([]);
    await page.evaluate(() => window.engine.dispose());
  });

  it('goes on after a reload of the page', async (context) => {
    bench(context);
    hub.tricks.push({ cutAfter: 3_000_000 }, { status: 503 }, { status: 503 }, { status: 503 });
    const going = download('some/model').catch(() => undefined);
    await expect.poll(() => ranges().length, { timeout: 600_000 }).toBeGreaterThanOrEqual(2);
    await page.reload();
    await going;
    await page.waitForFunction(() => 'ridgepoint' in window);
    hub.tricks.length = 0;
    hub.requests = [];
    expect(await download('some/model')).toBeUndefined();
    expect(ranges()).toEqual(['bytes=3000000-']);
    expect(hub.sent).toBe(hub.size);
  });

  it.each<[string, Trick]>([
    ['another entity tag', { etag: '"two"' }],
    ['the whole instead of a range', { wholly: true }],
    ['a part of a shorter file', { length: 3_000_000 }],
    ['no part, since the file ends before it', { status: 416 }],
  ])('is begun anew where the server gives %s', async (_what, trick) => {
    if (opened === undefined) return expect(opened).toBeUndefined();
    hub.tricks.push({ cutAfter: 1_000_000 }, trick, { etag: trick.etag });
    expect(await download('some/model')).toBeUndefined();
    expect(await stored()).toMatchObject([{ complete: true }]);
    expect(ranges().slice(0, 2)).toEqual(['all', 'bytes=1000000-']);
  });

  it('is fetched once more where its hash is wrong, and refused where it stays so', async (context) => {
    bench(context);
    hub.tricks.push({ lies: true });
    expect(await download('some/model')).toBeUndefined();
    expect(ranges()).toEqual(['all', 'all']);
    await page.evaluate(() => window.ridgepoint.deleteModel('some/model'));
    hub.tricks.push({ lies: true }, { lies: true });
    expect(await download('some/model')).toMatch(/is not the file that is listed; try again later$/);
    expect(await stored()).toMatchObject([{ complete: false }]);
  });

  it('is fetched once more where its size is wrong, and refused with both sizes where it stays so', async (context) => {
    bench(context);
    hub.tricks.push({ length: 3_000_000 });
    expect(await download('some/model')).toBeUndefined();
    expect(ranges()).toEqual(['all', 'all']);
    expect(await stored()).toMatchObject([{ complete: true }]);
    await page.evaluate(() => window.ridgepoint.deleteModel('some/model'));
    hub.tricks.push({ length: 3_000_000 }, { length: 3_000_000 });
    expect(await download('some/model')).toMatch(
      new RegExp(`what arrives is not the file that is listed \\(3000000 bytes instead of ${hub.size}\\); try again`),
    );
    expect(await stored()).toMatchObject([{ complete: false }]);
  });

  it('is refused in words, by who refuses it', async (context) => {
    bench(context);
    expect(await download('some/gated')).toMatch(/refuses .* \(403\); the model may be gated/);
    expect(await download('some/private')).toMatch(/refuses .* \(401\); the model may be gated/);
    expect(await download('some/trouble')).toMatch(/fails on .* \(503\); try again later$/);
    expect(await download('no/such')).toMatch(/^no\/such: the Hub has no such model; check the name at http/);
    expect(await download('/hub/page/')).toMatch(/is a web page and not the file itself/);
    expect(await download('http://127.0.0.1:9/model/')).toMatch(/^127\.0\.0\.1:9 cannot be reached: it is down, its/);
    expect(await download('nothing')).toMatch(/neither the URL of a folder/);
    expect((await stored()).map(({ source }) => source)).not.toContain('no/such');
  });
});

describe('a server of another origin', () => {
  const tinyTales = join(import.meta.dirname, '..', '..', 'models', 'tiny-tales');
  const folders = { '/model/': tinyTales };

  it('that lets no pages read its files is told from one that is not there', async (context) => {
    const { host } = bench(context);
    const shut = await serveStatic({ folders });
    const url = `${shut.url}/model/`;
    const { host: name } = new URL(url);
    const said = `${name} is there, but does not let pages of ${host.url} read ${url}`;
    expect(await download(url)).toMatch(new RegExp(`^${said}.*; download the model and pick its folder, or have its `));
    expect(await download(url, { store: false })).toContain(said);
    await shut.close();
    expect(await download(url)).toMatch(new RegExp(`^${name} cannot be reached: it is down, its address is wrong, or`));
  });

  it('that lets them is read', async (context) => {
    bench(context);
    const open = await serveStatic({ folders, headers: { 'access-control-allow-origin': '*' } });
    expect(await download(`${open.url}/model/`)).toBeUndefined();
    expect(await stored()).toContainEqual(expect.objectContaining({ source: `${open.url}/model/`, complete: true }));
    await page.evaluate((url) => window.ridgepoint.deleteModel(url), `${open.url}/model/`);
    await open.close();
  });

  it('is not blamed where this machine is offline', async (context) => {
    bench(context);
    const attempt = () =>
      page.evaluate(async () => {
        const options = { model: 'http://127.0.0.1:9/model/', worker: false, store: false };
        const error = await window.ridgepoint.Engine.load(options).catch((error: Error) => error);
        return error instanceof Error ? error.message : 'it was loaded';
      });
    // Once before, so that the engine's code is there.
    expect(await attempt()).toMatch(/it is down/);
    await page.context().setOffline(true);
    expect(await attempt()).toBe('127.0.0.1:9 cannot be reached: this machine is offline');
    await page.context().setOffline(false);
  });
});

describe('the files of a picked folder', () => {
  it.each([
    [['model.gguf'], /it holds model\.gguf: GGUF is not supported/],
    [['pytorch_model.bin'], /a file of PyTorch's; convert the checkpoint to safetensors/],
    [['inner/config.json'], /give a folder inside it, such as inner/],
  ])('%j are told of', async (names, message) => {
    if (opened === undefined) return expect(opened).toBeUndefined();
    const said = await page.evaluate(async (names) => {
      const files = names.map((name) => {
        const file = new File(['{}'], name.split('/').at(-1)!);
        Object.defineProperty(file, 'webkitRelativePath', { value: `picked/${name}` });
        return file;
      });
      const error = await window.ridgepoint.Engine.load({ model: files, worker: false }).catch((error: Error) => error);
      return error instanceof Error ? error.message : '';
    }, names);
    expect(said).toMatch(message);
  });
});
