import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { RidgepointError } from '../../src/platform/browser/index.js';
import { stories } from '../checkpoint/support.js';
import { maskAdapter } from './masks.js';
import { generated, load, need, nodeIds, openBench, PROMPT, type Bench } from './support.js';

let opened: Bench | undefined;
let ids: readonly number[] = [];

beforeAll(async () => {
  opened = await openBench();
  if (opened !== undefined) ids = await nodeIds();
});
afterAll(() => opened?.close());

const bench = (context: Pick<TestContext, 'skip'>): Bench => need(opened, context);

describe('a GPU process that is killed', () => {
  it('fails what runs when the GPU process is gone, and can be loaded again in the same page', async (context) => {
    const { browser, ...tabs } = bench(context);
    const page = await tabs.page();
    await load(page, {});
    const failing = page.evaluate(async (prompt) => {
      const { ready } = window.engine;
      await ready;
      const generation = window.engine.generate(prompt, { ignoreEos: true });
      const again = async (): Promise<string> => {
        for (;;) await window.engine.generate(prompt, { ignoreEos: true, maxTokens: 400 }).result;
      };
      document.title = 'running';
      try {
        await generation.result;
        return await again();
      } catch (error) {
        return (error as RidgepointError).code;
      }
    }, PROMPT);
    await page.waitForFunction(() => document.title === 'running');
    const session = await browser.newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    const gpu = processInfo.find(({ type }) => type === 'GPU');
    execFileSync('kill', ['-9', String(gpu?.id)]);
    expect(await failing).toBe('device');
    expect(await page.evaluate(() => window.engine.failure?.message)).toMatch(/device was lost/);
    await page.evaluate(() => window.engine.dispose());
    await load(page, {});
    expect((await generated(page)).ids).toEqual(ids);
    await page.close();
  });
});

it('stories260K has the tokens that Node chooses, wherever the engine lives', async (context) => {
  const tabs = bench(context);
  context.skip(!existsSync(stories), 'shared/data/models/stories260K is not here');
  const own = await nodeIds(stories);
  for (const worker of [true, 'shared', false]) {
    const page = await tabs.page();
    await load(page, { model: `${tabs.host.url}/stories/`, worker });
    expect((await generated(page)).ids, String(worker)).toEqual(own);
    await page.close();
  }
});

describe('an engine in a page', () => {
  it('chooses the same tokens on a device without features, at default limits, that has no name', async (context) => {
    const page = await bench(context).page('/pages/blank.html', maskAdapter, { features: 'none', nameless: true });
    expect(await load(page, { worker: false })).toBe('page');
    expect((await generated(page)).ids).toEqual(ids);
    const info = await page.evaluate(() => window.engine.info);
    expect(info).toMatchObject({ tier: 'portable', adapter: 'a GPU without a name' });
    expect(info.driver).toMatch(/147/);
    await page.close();
  });

  it('prods a queue whose end is looked for by a clock', async (context) => {
    const page = await bench(context).page('/pages/blank.html', maskAdapter, { pollMs: 100 });
    await load(page, { worker: false });
    const { tpotMs, ids: chosen } = await generated(page);
    const prods = await page.evaluate(() => (window as unknown as { empties: number }).empties);
    expect(chosen).toEqual(ids);
    expect(prods).toBeGreaterThan(10);
    expect(tpotMs).toBeGreaterThan(0);
    await page.close();
  });

  it('refuses what cannot leave a page, and a page without WebGPU', async (context) => {
    const page = await bench(context).page('/pages/blank.html', maskAdapter, { absent: true });
    const messages = await page.evaluate(async () => {
      const said: string[] = [];
      const attempt = async (options: object): Promise<void> => {
        try {
          await window.ridgepoint.Engine.load(options);
        } catch (error) {
          said.push((error as Error).message);
        }
      };
      await attempt({ onStep: () => undefined });
      await attempt({ worker: false });
      return said;
    });
    expect(messages[0]).toBe('onStep is a function, which cannot leave the page; leave it out');
    expect(messages[1]).toMatch(/147 has no WebGPU; use Chrome/);
    await page.close();
  });
});

describe('a shared engine', () => {
  it('serves two tabs, and the one that stays when the other is closed', async (context) => {
    const [one, two] = [await bench(context).page(), await bench(context).page()];
    const worker = 'shared' as const;
    expect(await Promise.all([load(one, { worker }), load(two, { worker })])).toEqual([
      'shared worker',
      'shared worker',
    ]);
    const both = await Promise.all([generated(one), generated(two)]);
    expect(both.map((result) => result.ids)).toEqual([ids, ids]);
    const answer = await one.evaluate(async (prompt) => {
      const body = JSON.stringify({ prompt, max_tokens: 48, temperature: 0 });
      const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
      const response = await window.engine.fetch('http://localhost/v1/completions', init);
      return (await response.json()) as { choices: { text: string }[] };
    }, PROMPT);
    expect(answer.choices[0].text).toBe(both[0].text);
    void two.evaluate((prompt) => void window.engine.generate(prompt, { ignoreEos: true, temperature: 0 }), PROMPT);
    await one.waitForFunction(async () => (await window.engine.stats()).running === 1);
    const undisturbed = generated(one);
    await two.close();
    expect((await undisturbed).ids).toEqual(ids);
    await one.waitForFunction(async () => (await window.engine.stats()).running === 0);
    await one.close();
  });
});
