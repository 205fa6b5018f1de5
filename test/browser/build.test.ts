import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildBrowser, stripWgsl } from '../../scripts/build-browser.mjs';

const root = join(import.meta.dirname, '..', '..');
const built = mkdtempSync(join(tmpdir(), 'ridgepoint-build-'));
beforeAll(() => buildBrowser(root, built));
afterAll(() => rmSync(built, { recursive: true }));

/** What a page has loaded once it has imported a file: that and what it imports in turn, in any case. */
function loadedWith(file: string, loaded = new Set<string>()): ReadonlySet<string> {
  if (loaded.has(file)) return loaded;
  loaded.add(file);
  const text = readFileSync(join(built, file), 'utf8');
  for (const [, next] of text.matchAll(/(?<!["'])\b(?:from|import)\s*"\.\/([^"]+)"/g)) loadedWith(next, loaded);
  return loaded;
}

/** Thousands of bytes of a file and what comes with it, compressed as a server would; without what is there before. */
function kilobytes(name: RegExp, ...before: RegExp[]): number {
  const fileOf = (named: RegExp): string => {
    const found = readdirSync(built).filter((file) => named.test(file));
    expect(found).toHaveLength(1);
    return found[0];
  };
  const there = new Set(before.flatMap((each) => [...loadedWith(fileOf(each))]));
  const files = [...loadedWith(fileOf(name))].filter((file) => !there.has(file));
  return files.reduce((sum, file) => sum + gzipSync(readFileSync(join(built, file)), { level: 9 }).length, 0) / 1000;
}

describe('the build for browsers', () => {
  it('is small: the page’s part, the engine, and what is loaded when it is needed', () => {
    const engine = /^ridgepoint-worker\.js$/;
    expect(kilobytes(/^index\.js$/)).toBeLessThan(5);
    expect(kilobytes(engine)).toBeLessThan(165);
    expect(kilobytes(/^chat-/, engine)).toBeLessThan(17);
    expect(kilobytes(/^api-service-/, engine)).toBeLessThan(22);
    expect(kilobytes(/^fetch-/, engine)).toBeLessThan(72);
    expect(kilobytes(/^engine-text\.js$/)).toBeLessThan(205);
    expect(kilobytes(/^api-text\.js$/)).toBeLessThan(82);
  });

  it('has no module of Node, and imports nothing but its own files', () => {
    for (const file of readdirSync(built)) {
      const text = readFileSync(join(built, file), 'utf8');
      const imports = [...text.matchAll(/(?<!["'])\b(?:from|import)\s*\(?\s*"([\w./@-]+)"/g)].map(([, path]) => path);
      expect(imports.filter((path) => !path.startsWith('./'))).toEqual([]);
    }
  });

  it('leaves of shaders what compilers and our directives read', () => {
    const text = '// a remark\n//#if fast\n  let x = 1; // why\n\n//#endif\n';
    expect(stripWgsl(text)).toBe('//#if fast\nlet x = 1;\n//#endif');
  });
});
