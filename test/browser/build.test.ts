import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildBrowser } from '../../scripts/build-browser.mjs';
import { buildSite } from '../../scripts/build-site.mjs';
import { stripWgsl } from '../../scripts/strip-shaders.mjs';

const root = join(import.meta.dirname, '..', '..');
const built = mkdtempSync(join(tmpdir(), 'ridgepoint-build-'));
beforeAll(() => buildBrowser(root, built));
afterAll(() => rmSync(built, { recursive: true }));

/** What a page has loaded once it has imported a file: that and what it imports in turn, in any case. */
function loadedWith(file: string, loaded = new Set<string>(), folder = built): ReadonlySet<string> {
  if (loaded.has(file)) return loaded;
  loaded.add(file);
  const text = readFileSync(join(folder, file), 'utf8');
  for (const [, next] of text.matchAll(/(?<!["'])\b(?:from|import)\s*["`]\.\/([^"`]+)["`]/g))
    loadedWith(next, loaded, folder);
  return loaded;
}

/** Thousands of bytes of files and what comes with them, compressed as a server would; without what is there before. */
function kilobytes(name: RegExp, ...before: RegExp[]): number {
  const filesOf = (named: RegExp): string[] => {
    const found = readdirSync(built).filter((file) => named.test(file));
    expect(found).not.toEqual([]);
    return found.flatMap((file) => [...loadedWith(file)]);
  };
  const there = new Set(before.flatMap(filesOf));
  const files = [...new Set(filesOf(name))].filter((file) => !there.has(file));
  return files.reduce((sum, file) => sum + gzipSync(readFileSync(join(built, file)), { level: 9 }).length, 0) / 1000;
}

describe('the build for browsers', () => {
  it('is small: the page’s part, the engine, and what is loaded when it is needed', () => {
    const engine = /^ridgepoint-worker\.js$/;
    expect(kilobytes(/^index\.js$/)).toBeLessThan(5);
    expect(kilobytes(engine)).toBeLessThan(105);
    expect(kilobytes(/^chat-/, engine)).toBeLessThan(16);
    // Of the rest, what a kind of model or device takes, or a request.
    expect(kilobytes(/^remote-/, engine)).toBeLessThan(4);
    expect(kilobytes(/^few-shaders-/, engine)).toBeLessThan(9);
    expect(kilobytes(/^(quantization-config|open|gptq-writer|dynamic|saved)-/, engine)).toBeLessThan(24);
    expect(kilobytes(/^grammar-/, engine)).toBeLessThan(34);
    expect(kilobytes(/^embedding-/, engine)).toBeLessThan(3);
    expect(kilobytes(/^fetch-/, engine)).toBeLessThan(102);
    expect(kilobytes(/^engine-text\.js$/)).toBeLessThan(188);
    expect(kilobytes(/^api-text\.js$/)).toBeLessThan(78);
  });

  it('of the page is small, too: what it shows first, with the engine', async () => {
    const site = join(built, 'site');
    await buildSite(root, site);
    const files = new Set(['index.html', 'style.css', 'icon.svg', 'manifest.webmanifest', 'offline.js']);
    for (const file of ['main.js', 'ridgepoint-worker.js']) loadedWith(file, files, site);
    const sizes = [...files].map((file) => gzipSync(readFileSync(join(site, file)), { level: 9 }).length);
    expect(sizes.reduce((sum, size) => sum + size, 0) / 1000).toBeLessThan(150);
    rmSync(site, { recursive: true });
  });

  it('has no module of Node, and imports nothing but its own files', () => {
    for (const file of readdirSync(built)) {
      const text = readFileSync(join(built, file), 'utf8');
      const imports = [...text.matchAll(/(?<!["'])\b(?:from|import\s*\(?)\s*["`]([\w./@-]+)["`]/g)].map(
        ([, path]) => path,
      );
      // An engine made of text is handed the API's code, and never gets there.
      const known = (path: string): boolean => path.startsWith('./') || path === '../../serving/fetch.js';
      expect(imports.filter((path) => !known(path))).toEqual([]);
    }
  });

  it('leaves of shaders what compilers and our directives read', () => {
    const text = '// a remark\n//#if fast\n  let x = 1; // why\n\n//#endif\n';
    expect(stripWgsl(text)).toBe('//#if fast\nlet x=1;\n//#endif');
    const signs = 'var a: array<u32> = f(x - -y, z * 2u) / vec2<f32> (1); if (a == b && c >= d) { a += 1; }';
    expect(stripWgsl(signs)).toBe('var a:array<u32> = f(x - -y,z*2u)/vec2<f32>(1);if(a == b && c >= d){a += 1;}');
  });
});
