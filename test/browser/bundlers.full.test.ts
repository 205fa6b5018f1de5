import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser } from 'playwright-core';
import { buildBrowser } from '../../scripts/build-browser.mjs';
import { chromiumMissing, launchChromium } from '../support/chromium.js';
import { serveStatic } from '../support/static-server.js';
import { GREEDY, nodeIds, PROMPT } from './support.js';

const root = join(import.meta.dirname, '..', '..');
const project = mkdtempSync(join(tmpdir(), 'ridgepoint-bundled-'));
const out = join(project, 'out');
let browser: Browser | undefined;
let ids: readonly number[] = [];

const PAGE = '<!doctype html><title>a page</title><script type="module" src="./main.js"></script>';
const MAIN = `import { Engine } from 'ridgepoint/browser';
window.Engine = Engine;
`;

/** A project of somebody's that has the package installed. */
beforeAll(async () => {
  const installed = join(project, 'node_modules', 'ridgepoint');
  mkdirSync(join(installed, 'dist', 'browser'), { recursive: true });
  cpSync(join(root, 'package.json'), join(installed, 'package.json'));
  await buildBrowser(root, join(installed, 'dist', 'browser'));
  writeFileSync(join(project, 'package.json'), '{ "type": "module", "private": true }');
  writeFileSync(join(project, 'index.html'), PAGE);
  writeFileSync(join(project, 'main.js'), MAIN);
  browser = await launchChromium();
  if (browser !== undefined) ids = await nodeIds();
});
afterAll(async () => {
  await browser?.close();
  rmSync(project, { recursive: true });
});

const BUNDLERS: Record<string, () => Promise<unknown>> = {
  async esbuild() {
    await esbuild({
      entryPoints: [join(project, 'main.js')],
      ...{ bundle: true, splitting: true, format: 'esm', outdir: out, minify: true, logLevel: 'error' },
    });
    cpSync(join(project, 'index.html'), join(out, 'index.html'));
  },
  Vite: () => vite({ root: project, base: './', logLevel: 'error', build: { outDir: out, emptyOutDir: true } }),
};

describe.each(Object.entries(BUNDLERS))('%s without a word of configuration', (name, bundle) => {
  it('makes a page whose engine chooses the tokens that Node does, and that has the API', async ({ skip }) => {
    rmSync(out, { recursive: true, force: true });
    await bundle();
    skip(browser === undefined, chromiumMissing);
    const host = await serveStatic({ folders: { '/models/': join(root, 'models'), '/': out } });
    const page = await browser!.newPage();
    page.setDefaultTimeout(600_000);
    await page.goto(`${host.url}/index.html`);
    await page.waitForFunction(() => 'Engine' in window);
    for (const worker of name === 'Vite' ? [true, 'shared'] : [true]) {
      const made = await page.evaluate(
        async ([worker, prompt, options]) => {
          const { Engine } = window as unknown as Pick<Window['ridgepoint'], 'Engine'>;
          const engine = await Engine.load({ worker: worker as 'shared', modelsUrl: '/models/' });
          const { ids } = await engine.generate(prompt, options).result;
          const models = await engine.fetch('http://localhost/v1/models');
          const { place } = engine;
          await engine.dispose();
          return { ids, place, status: models.status };
        },
        [worker, PROMPT, GREEDY] as const,
      );
      expect(made).toEqual({ ids, place: worker === true ? 'worker' : 'shared worker', status: 200 });
    }
    await page.close();
    await host.close();
  });
});
