import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildBrowser } from '../../scripts/build-browser.mjs';
import { stories } from '../checkpoint/support.js';
import { firefoxMissing, openFirefox, type FirefoxPage } from '../support/firefox.js';
import { maskAdapter } from './masks.js';
import { GREEDY, nodeIds, PROMPT } from './support.js';

const root = join(import.meta.dirname, '..', '..');

declare global {
  interface Window {
    /** Submissions of nothing, which make Firefox look after its GPU. */
    prods: number;
  }
}

/** Another compiler of WGSL than Chromium's, on the driver that the system has: no subgroups, no name, a clock of 100 ms. */
describe.skipIf(firefoxMissing !== '')(`in Firefox${firefoxMissing && `, skipped: ${firefoxMissing}`}`, () => {
  const built = mkdtempSync(join(tmpdir(), 'ridgepoint-firefox-build-'));
  let page: FirefoxPage;
  let ids: readonly number[];
  const folders = { '/package/dist/browser/': built, '/package/models/': join(root, 'models'), '/stories/': stories };
  beforeAll(async () => {
    await buildBrowser(root, built);
    page = (await openFirefox(folders))!;
    ids = await nodeIds();
  });
  afterAll(async () => {
    await page?.close();
    rmSync(built, { recursive: true });
  });

  it.each(['worker', 'shared worker'] as const)(
    'an engine in a %s chooses the tokens that it chooses in Node',
    async (kind) => {
      const made = await page.evaluate(
        async ([kind, prompt, options]) => {
          const engine = await window.ridgepoint.Engine.load({ worker: kind === 'worker' || 'shared' });
          const { ids } = await engine.generate(prompt, options).result;
          const { place, info } = engine;
          await engine.dispose();
          return { ids, place, info };
        },
        [kind, PROMPT, GREEDY] as const,
      );
      expect(made.place).toBe(kind);
      expect(made.info.driver).toMatch(/^Firefox \d+$/);
      expect(made.ids).toEqual(ids);
    },
  );

  it.skipIf(!existsSync(stories))('so does one of stories260K, wherever it lives', async () => {
    const own = await nodeIds(stories);
    const made = await page.evaluate(
      async ([prompt, options]) => {
        const model = `${location.origin}/stories/`;
        const all: (readonly number[])[] = [];
        for (const worker of [true, 'shared', false] as const) {
          const engine = await window.ridgepoint.Engine.load({ model, worker });
          all.push((await engine.generate(prompt, options).result).ids);
          await engine.dispose();
        }
        return all;
      },
      [PROMPT, GREEDY] as const,
    );
    expect(made).toEqual([own, own, own]);
  });

  it('so does one in the page without features at default limits, and results are asked for by submitting nothing', async () => {
    await page.evaluate(() => {
      window.prods = 0;
      const { submit } = GPUQueue.prototype as {
        submit: (this: GPUQueue, buffers: Iterable<GPUCommandBuffer>) => undefined;
      };
      GPUQueue.prototype.submit = function (buffers) {
        if ([...buffers].length === 0) window.prods++;
        return submit.call(this, buffers);
      };
    });
    await page.evaluate(maskAdapter, { features: 'none' as const });
    const made = await page.evaluate(
      async ([prompt, options]) => {
        window.engine = await window.ridgepoint.Engine.load({ worker: false });
        const before = window.prods;
        const { ids } = await window.engine.generate(prompt, options).result;
        return { ids, tier: window.engine.info.tier, prods: window.prods - before };
      },
      [PROMPT, GREEDY] as const,
    );
    expect(made.tier).toBe('portable');
    expect(made.ids).toEqual(ids);
    expect(made.prods).toBeGreaterThan(GREEDY.maxTokens / 2);
  });

  it('keeps a text to a schema, token by token', async () => {
    const text = await page.evaluate(async (prompt) => {
      const schema = { type: 'array', items: { enum: [1, 2] }, minItems: 2, maxItems: 3 };
      const { text } = await window.engine.generate(prompt, { temperature: 0, maxTokens: 40, schema }).result;
      await window.engine.dispose();
      return text;
    }, PROMPT);
    expect((JSON.parse(text) as number[]).every((each) => each === 1 || each === 2)).toBe(true);
  });

  it('that has WebGPU switched off is told from an old one, with the name of the switch', async () => {
    const off = (await openFirefox(folders, { 'dom.webgpu.enabled': false }))!;
    try {
      const said = await off.evaluate(async () => {
        const attempt = async (worker: boolean): Promise<string> => {
          const error = await window.ridgepoint.Engine.load({ worker }).catch((error: Error) => error);
          return error instanceof Error ? error.message : 'it was loaded';
        };
        return [await attempt(true), await attempt(false)];
      });
      for (const each of said) {
        expect(each).toMatch(
          /^Firefox \d+ has WebGPU switched off here; set dom\.webgpu\.enabled to true in about:config,/,
        );
      }
      expect(said).toHaveLength(2);
    } finally {
      await off.close();
    }
  });
});
