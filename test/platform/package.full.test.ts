import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser } from 'playwright-core';
import { BUNDLERS, writePage, type Bundler } from '../browser/bundlers.js';
import { GREEDY, nodeIds, PROMPT } from '../browser/support.js';
import { adapters } from '../support/adapters.js';
import { chromiumMissing, launchChromium } from '../support/chromium.js';
import { serveStatic } from '../support/static-server.js';
import { root, run } from './child.js';

interface Locked {
  readonly dev?: boolean;
  readonly version?: string;
  readonly engines?: { readonly node?: string };
}
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, Locked> };
const needed = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && dev !== true);

const project = mkdtempSync(join(tmpdir(), 'ridgepoint-package-'));
const installed = join(project, 'node_modules', 'ridgepoint');
const npm = (...args: string[]): string =>
  execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

/** An empty project with the package as `npm pack` makes it, and what it depends on: nothing that is for development. */
beforeAll(() => {
  const packed = JSON.parse(npm('pack', '--json', '--pack-destination', project)) as [{ filename: string }];
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['xzf', join(project, packed[0].filename), '-C', installed, '--strip-components', '1']);
  for (const [path] of needed) {
    if (path.split('node_modules/').length > 2) continue; // inside another
    const target = join(project, path);
    mkdirSync(dirname(target), { recursive: true });
    try {
      symlinkSync(join(root, path), target);
    } catch {
      // Its folder was linked as a whole.
    }
  }
  writeFileSync(join(project, 'package.json'), '{ "type": "module", "private": true }');
});
afterAll(() => rmSync(project, { recursive: true }));

describe('the package', () => {
  it('holds what was built, and nothing of how', () => {
    const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
    for (const file of [
      'dist/src/index.js',
      'dist/src/index.d.ts',
      'dist/browser/index.js',
      'dist/browser/engine-text.js',
      'dist/browser/ridgepoint-worker.js',
      'dist/src/platform/browser/index.d.ts',
      'scripts/ridgepoint.mjs',
      'models/tiny-tales/config.json',
    ]) {
      expect(files).toContain(file);
    }
    expect(files.filter((file) => /\.map$|\.tsbuildinfo$|build-stamp|\.test\.|^src\/|(^|\/)kit\//.test(file))).toEqual(
      [],
    );
  });

  it('and all it depends on run on Node 20', () => {
    const { satisfies } = createRequire(import.meta.url)('semver') as {
      satisfies: (version: string, range: string) => boolean;
    };
    const bad = needed.filter(([, { engines }]) => engines?.node !== undefined && !satisfies('20.20.0', engines.node));
    expect(bad.map(([path, { engines }]) => `${path} wants ${engines?.node}`)).toEqual([]);
  });

  it.each([
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])(
    'has declarations that hold under module %s, resolution %s, libraries checked',
    async (module, moduleResolution) => {
      const source = `
      import { Engine, RidgepointError, type GenerateOptions, type GenerationResult } from 'ridgepoint';
      const options: GenerateOptions = { maxTokens: 3, temperature: 0 };
      export async function story(): Promise<GenerationResult> {
        const engine: Engine = await Engine.load({ model: 'tiny-tales' });
        try {
          return await engine.generate('Once', options).result;
        } catch (error) {
          if (error instanceof RidgepointError) throw new Error(error.code satisfies string);
          throw error;
        } finally {
          await engine.dispose();
        }
      }
      // @ts-expect-error a number is no prompt
      void (async () => (await Engine.load()).generate(5));
    `;
      writeFileSync(join(project, 'use.ts'), source);
      const compilerOptions = {
        ...{ module, moduleResolution, target: 'ES2022', lib: ['ES2023', 'ESNext.Disposable', 'DOM'] },
        ...{ strict: true, skipLibCheck: false, noEmit: true, types: [] },
      };
      writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }));
      const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
      const { code, stdout } = await run(process.execPath, [compiler, '-p', project]);
      expect([stdout, code]).toEqual(['', 0]);
    },
  );

  it('generates, as a library and as a command', async () => {
    const adapter = adapters[0];
    const source = `
      import { Engine } from 'ridgepoint';
      const engine = await Engine.load({ adapter: ${JSON.stringify(adapter)} });
      const { text } = await engine.generate('Once upon a time', { maxTokens: 4, temperature: 0 }).result;
      await engine.dispose();
      console.log(text);
      process.exit(0);
    `;
    writeFileSync(join(project, 'use.mjs'), source);
    const library = await run(process.execPath, ['use.mjs'], { cwd: project });
    expect([library.code, library.stdout]).toEqual([0, ', there was a\n']);
    const args = ['generate', 'Once upon a time', '--max-tokens', '4', '--temperature', '0', '--adapter', adapter];
    const script = join(installed, 'scripts', 'ridgepoint.mjs');
    const command = await run(process.execPath, [script, ...args, '--quiet'], { cwd: project });
    expect([command.code, command.stdout]).toEqual([0, 'Once upon a time, there was a\n']);
  });
});

describe('the package, in a bundler without a word of configuration,', () => {
  const WORKER = { worker: true, 'shared worker': 'shared', page: false } as const;
  let browser: Browser | undefined;
  let ids: readonly number[] = [];
  beforeAll(async () => {
    writePage(project);
    browser = await launchChromium();
    if (browser !== undefined) ids = await nodeIds();
  });
  afterAll(() => browser?.close());

  it.each(BUNDLERS.map((bundler): [string, Bundler] => [bundler.name, bundler]))(
    'makes of %s a page whose engine chooses the tokens that Node does, and that has the API',
    async (_, { bundle, places }) => {
      rmSync(join(project, 'dist'), { recursive: true, force: true });
      await bundle(project);
      if (browser === undefined) return expect(chromiumMissing).not.toBe('');
      const host = await serveStatic({
        folders: { '/models/': join(installed, 'models'), '/': join(project, 'dist') },
      });
      const page = await browser.newPage();
      page.setDefaultTimeout(600_000);
      await page.goto(`${host.url}/index.html`);
      await page.waitForFunction(() => 'Engine' in window);
      for (const place of places) {
        const made = await page.evaluate(
          async ([worker, prompt, options]) => {
            const { Engine } = window as unknown as Pick<Window['ridgepoint'], 'Engine'>;
            const engine = await Engine.load({ worker, modelsUrl: '/models/' });
            const { ids } = await engine.generate(prompt, options).result;
            const models = await engine.fetch('http://localhost/v1/models');
            const { place } = engine;
            await engine.dispose();
            return { ids, place, status: models.status };
          },
          [WORKER[place], PROMPT, GREEDY] as const,
        );
        expect(made).toEqual({ ids, place, status: 200 });
      }
      await page.close();
      await host.close();
    },
  );
});
